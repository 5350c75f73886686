import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { UserError } from '../errors.ts'
import { explained } from '../file-faults.ts'

/** The most one system call is asked to move: below the 2 GiB limit of read and write. */
const CHUNK_BYTES = 2 ** 30

// Node's own way up, `recursive`, tells ENOENT where the disk is read-only, and goes on for ever in /proc.
function make(folder: string): void {
  try {
    mkdirSync(folder)
  } catch (error) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return
    const above = dirname(folder)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || existsSync(above)) throw error
    make(above)
    make(folder)
  }
}

/** Makes a folder, and those above it, where it is not there. Throws UserError where the file system refuses. */
export const makeFolder = (folder: string): void => explained(folder, () => make(folder))

/** Opens a regular file for reading, hands its descriptor and size in bytes to `use`, and closes it. Throws UserError where it cannot. */
export function withFile<T>(file: string, use: (fd: number, size: number) => T): T {
  return explained(file, () => {
    // Asked before opening, since opening a named pipe waits for a writer.
    const found = statSync(file)
    if (found.isDirectory()) throw new UserError(`${file} is a folder, not a file; give the path of the file.`)
    if (!found.isFile()) throw new UserError(`${file} is no regular file; give the path of a file on disk.`)
    const fd = openSync(file, 'r')
    try {
      return use(fd, fstatSync(fd).size)
    } finally {
      closeSync(fd)
    }
  })
}

/** Reads exactly `bytes` bytes from `position`, into a buffer of their own. Throws UserError where the file ends before. */
export function readAt(fd: number, file: string, position: number, bytes: number): Uint8Array<ArrayBuffer> {
  const into = allocate(file, bytes)
  fillAt(fd, file, position, into)
  return into
}

/** Fills `into` with the bytes from `position`, by as many calls as the system needs. Throws UserError where the file ends before. */
export function fillAt(fd: number, file: string, position: number, into: Uint8Array): void {
  for (let done = 0; done < into.length; ) {
    const got = readSync(fd, into, done, Math.min(into.length - done, CHUNK_BYTES), position + done)
    if (got === 0) throw new UserError(`${file} is cut short: it ends at byte ${position + done}; copy or download it again.`)
    done += got
  }
}

/** Writes all of `bytes` from `position`, by as many calls as the system needs. */
export function writeAt(fd: number, position: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, Math.min(bytes.length - done, CHUNK_BYTES), position + done)
}

function allocate(file: string, bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes)
  } catch {
    throw new UserError(`${file}: a block of ${bytes} bytes does not fit in memory; use a smaller model or a larger machine.`)
  }
}
