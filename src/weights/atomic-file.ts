import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { explained } from '../file-faults.ts'
import { writeAt } from './file-access.ts'

/**
 * Writes `file` so that it is there whole or not at all: under a temporary name in the same folder, synced, renamed.
 * @param write is given a function that appends bytes; where it throws, nothing is left behind and the error goes on
 * @throws UserError where the file system refuses
 */
export function writeAtomically(file: string, write: (append: (bytes: Uint8Array) => void) => void): void {
  const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}.tmp`)
  explained(file, () => {
    const fd = openSync(temporary, 'wx')
    try {
      try {
        let length = 0
        write((bytes) => {
          writeAt(fd, length, bytes)
          length += bytes.length
        })
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
      renameSync(temporary, file)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
    syncFolder(dirname(file))
  })
}

/** Writes a text file, whole or not at all. Throws UserError where the file system refuses. */
export const writeText = (file: string, text: string): void => writeAtomically(file, (append) => append(Buffer.from(text)))

/** Makes the rename last; some systems (Windows) cannot sync a folder and need not. */
export function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch {
    // The file itself is whole either way.
  }
}
