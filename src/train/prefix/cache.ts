import { createHash } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Example } from '../../data/examples.ts'
import { byLength } from '../../data/order.ts'
import { arrangement } from '../../evaluate/arrangement.ts'
import type { Subject } from '../../evaluate/assembly.ts'
import { openEngine } from '../../evaluate/engine.ts'
import { streamFeeds } from '../../evaluate/stream-feeds.ts'
import { flopCounter } from '../../graph/flops.ts'
import type { Graph } from '../../graph/graph.ts'
import type { KeptValue } from '../../lowering/frozen-prefix.ts'
import type { Method } from '../../nn/method.ts'
import { encode } from '../../onnx/encode.ts'
import { liveNodes } from '../../onnx/live.ts'
import { runtimeVersion } from '../../runtime/node.ts'
import type { Feeds, SessionOptions } from '../../runtime/session.ts'
import { chunksOf } from '../chunks.ts'
import { modelFingerprint } from '../sources.ts'
import { keptPlaces, splitStep } from './kept-places.ts'
import { fileStore, memoryStore, type RowStore } from './row-store.ts'

/** Bytes that a run holds in memory at the most. */
export const MOST_IN_MEMORY = 256e6

/** A step without what comes before all that training changes. */
export interface CachedPrefix {
  readonly rest: Graph
  /** What the rest reads in place of it. The first call makes it for all examples. */
  feeds(examples: readonly Example[]): Promise<Feeds>
  /** Operations that it takes to make it for all examples. */
  readonly flops: number
}

/** The results of steps' frozen prefixes for each example of a run. */
export interface PrefixCache {
  open(graph: Graph, method: Method): CachedPrefix
  /** Lets go of all; a file stays for a run that goes on. */
  close(): void
}

export interface PrefixCacheOptions extends SessionOptions {
  readonly examples: readonly Example[]
  /** Rows at a time, in chunks of about so many tokens; null: all at once. */
  readonly batchSize: number
  readonly tokensAtOnce: number | null
  /** Where a file may be made; null: all is kept in memory. */
  readonly folder: string | null
  /** Bytes that memory may hold; more is kept in the file. */
  readonly mostInMemory: number
}

const FILE = /^prefix-\w+\.f32(\.tmp)?$/

/** Removes what caches left in a folder, but for one file. */
export function sweepPrefixFiles(folder: string, kept: string | null = null): void {
  for (const name of readdirSync(folder)) if (FILE.test(name) && name !== kept) rmSync(join(folder, name), { force: true })
}

/** Opens a cache for a run's examples, whose batches may have them in any order. */
export function openPrefixCache(
  subject: Subject,
  { examples, batchSize, tokensAtOnce, folder, mostInMemory, threads }: PrefixCacheOptions,
): PrefixCache {
  const numbers = new Map(examples.map((example, i) => [example, i]))
  const numberOf = (example: Example): number => {
    const found = numbers.get(example)
    if (found === undefined) throw new Error(`the example of ${example.file}:${example.line} is none of those that the cache is for`)
    return found
  }
  let held: { readonly digest: string; readonly store: RowStore } | null = null

  /** What tells the results of a prefix from all others. */
  const digestOf = (prefix: Graph, { sequence }: Method): string => {
    const made = [batchSize, tokensAtOnce, threads ?? null]
    const told = [runtimeVersion, subject.model.device, modelFingerprint(subject.model), sequence ?? null, ...made]
    const hash = createHash('sha256')
      .update(JSON.stringify(told))
      .update(encode(subject.model.lowered(prefix)))
    const plain = (_: string, value: unknown): unknown => (ArrayBuffer.isView(value) ? Array.from(value as Int32Array) : value)
    for (const { ids, types, mask, others, decoder } of examples) hash.update(JSON.stringify([ids, types, mask, others, decoder], plain))
    return hash.digest('hex')
  }

  return {
    open(graph, method) {
      const split = splitStep(graph, method)
      if (!split) throw new Error('the step has no prefix that is worth being kept')
      const { rest, prefix, kept } = split
      const arranged = arrangement(subject, method)
      const flopsOf = flopCounter(liveNodes(prefix))
      const { length, sizes, of } = keptPlaces(kept, examples, arranged, method.passes)

      const fill = async (write: (at: number, numbers: Float32Array) => void): Promise<void> => {
        const session = await openEngine(subject.model, prefix, threads === undefined ? {} : { threads })
        try {
          // The same chunks whenever it is made, since last bits may differ from chunk to chunk.
          const order = Array.from(byLength(examples), (i) => examples[i]!)
          for (let start = 0; start < order.length; start += batchSize) {
            for (const chunk of chunksOf(order.slice(start, start + batchSize), tokensAtOnce, arranged, method.passes)) {
              const results = await session.run(streamFeeds(arranged.batch(arranged.rows(chunk), method.passes)))
              for (const [value, { name }] of kept.entries()) {
                let from = 0
                for (const example of chunk) {
                  const place = of(value, numberOf(example))
                  write(place.at, (results[name]!.data as Float32Array).subarray(from, from + place.length))
                  from += place.length
                }
              }
            }
          }
        } finally {
          await session.close()
        }
      }
      const stored = async (): Promise<RowStore> => {
        const digest = digestOf(prefix, method)
        if (held?.digest === digest) return held.store
        held?.store.close()
        held = null
        const file = `prefix-${digest.slice(0, 16)}.f32`
        const inMemory = folder === null || 4 * length <= mostInMemory
        if (!inMemory) sweepPrefixFiles(folder, file)
        held = { digest, store: await (inMemory ? memoryStore(length, fill) : fileStore(join(folder, file), length, fill)) }
        return held.store
      }
      let ready: Promise<RowStore> | null = null

      return {
        rest,
        flops: sizes.reduce((sum, size) => sum + flopsOf(size), 0),
        async feeds(asked) {
          ready ??= stored()
          const store = await ready
          const own = asked.map(numberOf)
          const feed = ({ width, shape }: KeptValue, value: number): Feeds[string] => {
            const places = own.map((i) => of(value, i))
            const data = new Float32Array(places.reduce((sum, place) => sum + place.length, 0))
            let at = 0
            for (const place of places) {
              store.read(place.at, data.subarray(at, at + place.length))
              at += place.length
            }
            return { data, shape: [data.length / width, ...shape] }
          }
          return Object.fromEntries(kept.map((value, i) => [value.name, feed(value, i)]))
        },
      }
    },
    close() {
      held?.store.close()
      held = null
    },
  }
}
