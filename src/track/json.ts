import type { Sink } from '../train/events.ts'

/** Writes every event as one line of JSON. */
export const jsonSink =
  (stream: NodeJS.WritableStream): Sink =>
  (event) =>
    void stream.write(`${JSON.stringify(event)}\n`)
