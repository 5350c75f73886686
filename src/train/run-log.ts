import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync } from 'node:fs'
import { explained } from '../file-faults.ts'
import { writeAt } from '../weights/file-access.ts'
import type { RunEvent } from './events.ts'

/** The record of a run on disk, one event a line. */
export interface RunLog {
  append(event: RunEvent): void
  /** Bytes written so far, all on disk when this returns. */
  sync(): number
  close(): void
}

/**
 * Opens the record and cuts it to `bytes`, so that a resumed run goes on where its checkpoint stands.
 * @throws UserError, as what it opens does, where the file system refuses
 */
export function openRunLog(file: string, bytes: number): RunLog {
  const fd = explained(file, () => openSync(file, existsSync(file) ? 'r+' : 'w'))
  explained(file, () => ftruncateSync(fd, bytes))
  let length = bytes
  return {
    append(event) {
      const line = Buffer.from(`${JSON.stringify(event)}\n`)
      explained(file, () => writeAt(fd, length, line))
      length += line.length
    },
    sync() {
      explained(file, () => fsyncSync(fd))
      return length
    },
    close: () => closeSync(fd),
  }
}
