import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { HubApiError } from '@huggingface/hub'
import { didYouMean, UserError } from '../errors.ts'
import type { Environment, Extent } from './hub-cache.ts'
import { cachedSnapshot, hasTokenizer, hubCache } from './hub-cache.ts'
import type { HubAccess } from './hub-download.ts'
import { downloadModel } from './hub-download.ts'

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
  const access = hubAccess(env)
  try {
    return await downloadModel(cache, id, access, notice, extent)
  } catch (error) {
    throw downloadError(id, error)
  }
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

function hubAccess(env: Environment): HubAccess {
  const endpoint = env.HF_ENDPOINT?.trim().replace(/\/+$/, '')
  const token = env.HF_TOKEN?.trim()
  if (endpoint && !(URL.canParse(endpoint) && /^https?:/.test(endpoint))) {
    throw new UserError('HF_ENDPOINT is no http or https address; correct or unset it.')
  }
  if (token && !token.startsWith('hf_'))
    throw new UserError('HF_TOKEN does not start with "hf_"; set it to a token of the hub or unset it.')
  return { ...(endpoint ? { hubUrl: endpoint } : {}), ...(token ? { accessToken: token } : {}) }
}

/** One sentence and the next step, without the address, which may be a private mirror. */
function downloadError(id: string, error: unknown): Error {
  if (error instanceof UserError) return error
  const failed = `"${id}" is no folder here and cannot be downloaded`
  if (error instanceof HubApiError) return new UserError(`${failed}: ${statusAdvice(error.statusCode)}.`)
  const { code, syscall, cause } = (error ?? {}) as NodeJS.ErrnoException
  if (syscall !== undefined && code !== undefined) {
    return new UserError(`${failed}: the cache cannot be written (${code}); set HF_HUB_CACHE to a writable folder with free space.`)
  }
  const reason = (cause as NodeJS.ErrnoException | undefined)?.code
  const what = reason === undefined ? 'the answer broke off or is not that of a hub' : `the connection failed (${reason})`
  return new UserError(`${failed}: ${what}; check the network and HF_ENDPOINT, or give the path of a folder.`, { cause: error })
}

function statusAdvice(status: number): string {
  if (status === 401 || status === 403) {
    return `the hub refuses access (${status}); check the spelling, and for a private model set HF_TOKEN to a token that may read it`
  }
  if (status === 404) return 'the hub knows no such model (404); check the spelling of owner and name'
  if (status === 429) return 'the hub is limiting requests (429); wait a little or set HF_TOKEN'
  return `the hub answered with status ${status}; try again later`
}
