import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { didYouMean, UserError } from '../errors.ts'
import type { Environment, Extent } from './hub-cache.ts'
import { cachedSnapshot, hasTokenizer, hubCache } from './hub-cache.ts'

const ID = /^\w(?:[\w.-]*\w)?(?:\/\w(?:[\w.-]*\w)?)?$/

/**
 * The local folder of a model: a folder as it is; else an id of the hub (`owner/name` or `name`), from the cache or, unless
 * HF_HUB_OFFLINE is set, by download into it. HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_CACHE of `env` are honoured.
 * @param notice is told of each file before it is fetched
 * @throws UserError where there is no such folder or model, or it cannot be fetched; says which and the next step
 */
export async function resolveModel(
  id: string,
  env: Environment = process.env,
  notice: (text: string) => void = () => {},
  extent: Extent = 'whole',
): Promise<string> {
  if (existsSync(id)) {
    if (!statSync(id).isDirectory()) throw new UserError(`${id} is a file; give the folder of the model.`)
    return id
  }
  if (isPath(id)) throw new UserError(`There is no folder ${id}; check the path.${nearFolders(id)}`)
  if (!ID.test(id) || /--|\.\./.test(id)) {
    throw new UserError(`${JSON.stringify(id)} is neither a folder nor an id of the hub; give a folder, "owner/name" or "name".`)
  }
  return fromHub(id, env, notice, extent)
}

async function fromHub(id: string, env: Environment, notice: (text: string) => void, extent: Extent): Promise<string> {
  const cache = hubCache(env)
  const cached = cachedSnapshot(cache, id, extent)
  const offline = /^(1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? '')
  if (cached !== undefined && (offline || hasTokenizer(cached))) return cached
  if (offline) throw new UserError(`"${id}" is neither a folder nor cached; unset HF_HUB_OFFLINE to download it, or give a folder.`)
  // The library of the hub is loaded where something is fetched.
  const { fetchModel } = await import('./hub-fetch.ts')
  return fetchModel(cache, id, env, notice, extent)
}

function isPath(id: string): boolean {
  return id === '' || /^[./~]|\\|^[a-z]:|\/.*\/|\/$/i.test(id)
}

function nearFolders(id: string): string {
  const parent = dirname(id)
  try {
    const folders = readdirSync(parent, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    return didYouMean(
      basename(id),
      folders.map(({ name }) => name),
    )
  } catch {
    // The parent is missing or closed: there is nothing to suggest.
    return ''
  }
}
