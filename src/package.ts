import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/*
 * What this package brings besides modules. A build puts modules together, so that none but this one, which lies beside what is built,
 * may look for files beside itself.
 */

/** A file of the package, by its path from `src`. */
export const packageFile = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** A module that is a process of its own, by its path from `src` without an ending. */
export const packageProgram = (path: string): string => packageFile(`${path}${extname(import.meta.url)}`)

export const { version, dependencies } = JSON.parse(readFileSync(packageFile('../package.json'), 'utf8')) as {
  version: string
  dependencies: Record<string, string>
}
