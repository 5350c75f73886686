import type { Example } from '../data/examples.ts'
import type { Adapted } from '../evaluate/adapted.ts'
import { type Forward, openForward } from '../evaluate/forward.ts'
import type { Adapter } from '../formats/index.ts'
import { everywhere } from '../heads/head.ts'
import { definitionOf } from '../methods/index.ts'

/** A model as it answers, and the adapters that this is made of. */
export interface Voice {
  readonly adapted: Adapted
  readonly adapters: readonly Adapter[]
}

/** Compiled sessions, one for each shape of adapter. */
export interface Sessions {
  /** What the head tells; `whole`, its logits at every token. */
  logits(voice: Voice, examples: readonly Example[], whole: boolean): Promise<Float32Array[]>
  readonly count: number
  close(): Promise<void>
}

/** What a session is compiled for: voices that share it differ in their numbers alone. */
function shapeOf({ adapted: { open, state }, adapters }: Voice): string {
  const forms = adapters.map(({ options }) => [options.name, definitionOf(options).form?.(options)])
  return JSON.stringify([open.description, open.labels.length, forms, [...state].map(([name, { shape }]) => [name, shape]).sort()])
}

export function openSessions(batchSize: number): Sessions {
  const forwards = new Map<string, Promise<Forward>>()
  return {
    async logits(voice, examples, whole) {
      const { open, method, state } = voice.adapted
      const { subject } = open
      const full = whole && subject.head.told !== undefined
      const shape = `${full} ${shapeOf(voice)}`
      const asked = full ? { ...subject, head: everywhere(subject.head) } : subject
      if (!forwards.has(shape)) {
        const opening = openForward(asked, method, state, { batchSize })
        forwards.set(shape, opening)
        // What could not be opened is tried again, and not closed.
        opening.catch(() => forwards.delete(shape))
      }
      return (await forwards.get(shape)!).logits(examples, state)
    },
    get count() {
      return forwards.size
    },
    async close() {
      for (const forward of forwards.values()) await (await forward).close()
      forwards.clear()
    },
  }
}
