import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'
import { syncFolder } from '../weights/atomic-file.ts'
import { makeFolder } from '../weights/file-access.ts'

function refuseForeign(folder: string, marker: string, known: readonly string[]): void {
  const names = readdirSync(folder)
  const foreign = names.find((name) => !known.includes(name)) ?? (names.includes(marker) ? undefined : names[0])
  if (foreign !== undefined) throw new UserError(`${folder} holds "${foreign}", which adatune did not write there; choose another folder.`)
}

/**
 * Makes `folder` anew so that it is there whole or not at all: `fill` writes to a temporary folder beside it, which is then
 * renamed. A folder that exists must be empty, or hold `marker` and no file but the `known`; it is moved away just before
 * and removed just after the new one takes its place.
 * @throws UserError where the folder holds other files, or the file system refuses
 */
export function replaceFolder(folder: string, marker: string, known: readonly string[], fill: (temporary: string) => void): void {
  explained(folder, () => {
    const target = existsSync(folder) ? realpathSync(folder) : resolve(folder)
    const parent = dirname(target)
    const beside = (ending: string): string => join(parent, `.${basename(target)}.${randomUUID()}.${ending}`)
    makeFolder(parent)
    if (existsSync(target)) refuseForeign(target, marker, known)
    const fresh = beside('tmp')
    const old = existsSync(target) ? beside('old') : null
    mkdirSync(fresh)
    try {
      fill(fresh)
      if (old) renameSync(target, old)
      try {
        renameSync(fresh, target)
      } catch (error) {
        if (old) renameSync(old, target)
        throw error
      }
    } catch (error) {
      rmSync(fresh, { recursive: true, force: true })
      throw error
    }
    syncFolder(parent)
    if (old) rmSync(old, { recursive: true, force: true })
  })
}
