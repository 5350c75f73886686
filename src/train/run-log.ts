import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import type { RunEvent } from './events.ts'

/** The record of a run on disk, one event a line. */
export interface RunLog {
  append(event: RunEvent): void
  /** Bytes written so far, all on disk when this returns. */
  sync(): number
  close(): void
}

/** Opens the record and cuts it to `bytes`, so that a resumed run goes on where its checkpoint stands. */
export function openRunLog(file: string, bytes: number): RunLog {
  const fd = openSync(file, existsSync(file) ? 'r+' : 'w')
  ftruncateSync(fd, bytes)
  let length = bytes
  return {
    append(event) {
      const line = Buffer.from(`${JSON.stringify(event)}\n`)
      writeSync(fd, line, 0, line.length, length)
      length += line.length
    },
    sync() {
      fsyncSync(fd)
      return length
    },
    close: () => closeSync(fd),
  }
}
