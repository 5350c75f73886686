import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { explained } from '../../file-faults.ts'
import { syncFolder } from '../../weights/atomic-file.ts'
import { fillAt, writeAt } from '../../weights/file-access.ts'

/** Numbers that are written once and read in parts. */
export interface RowStore {
  /** Fills `into` from so many numbers behind the start. */
  read(at: number, into: Float32Array): void
  close(): void
}

/** Makes all numbers of a store, by parts. */
export type Fill = (write: (at: number, numbers: Float32Array) => void) => Promise<void>

/** A store of so many numbers in memory. */
export async function memoryStore(length: number, fill: Fill): Promise<RowStore> {
  let all = new Float32Array(length)
  await fill((at, numbers) => all.set(numbers, at))
  return {
    read: (at, into) => into.set(all.subarray(at, at + into.length)),
    close() {
      all = new Float32Array(0)
    },
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength)

/** A store of so many numbers in a file, which is there whole or not at all; one that is there is taken as it is. */
export async function fileStore(file: string, length: number, fill: Fill): Promise<RowStore> {
  if (!existsSync(file) || statSync(file).size !== 4 * length) await writeWhole(file, fill)
  const fd = explained(file, () => openSync(file, 'r'))
  return {
    read: (at, into) => explained(file, () => fillAt(fd, file, 4 * at, bytesOf(into))),
    close: () => closeSync(fd),
  }
}

async function writeWhole(file: string, fill: Fill): Promise<void> {
  const temporary = `${file}.tmp`
  const fd = explained(file, () => openSync(temporary, 'w'))
  try {
    await fill((at, numbers) => explained(file, () => writeAt(fd, 4 * at, bytesOf(numbers))))
    explained(file, () => fsyncSync(fd))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
  explained(file, () => renameSync(temporary, file))
  syncFolder(dirname(file))
}
