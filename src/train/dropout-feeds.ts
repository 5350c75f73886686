import { evaluate } from '../graph/dim.ts'
import { type Mask, poolName } from '../nn/network.ts'
import { stream } from '../random/draws.ts'
import { fillKeepBytes } from '../random/keep-bytes.ts'
import { keyOf } from '../random/key.ts'
import type { Feeds } from '../runtime/session.ts'

export interface DropoutMoment {
  readonly seed: number
  readonly step: number
  readonly microBatch: number
}

/**
 * The keep-bytes of all dropout masks of one micro-batch: for each probability a pool at least twice as long as its largest mask,
 * fresh each time, and for each mask a window of it at a hashed place. A pure function of the moment.
 */
export function dropoutFeeds(
  masks: readonly Mask[],
  sizes: Readonly<Record<string, number>>,
  { seed, step, microBatch }: DropoutMoment,
): Feeds {
  if (masks.length === 0) return {}
  const lengths = masks.map(({ size }) => evaluate(size, sizes))
  const pools = new Map<number, Uint8Array>()
  for (const { p } of masks) {
    const most = Math.max(...masks.flatMap((mask, k) => (mask.p === p ? [lengths[k]!] : [])))
    if (!pools.has(p)) pools.set(p, new Uint8Array(2 * most))
  }
  const feeds: Record<string, Feeds[string]> = {}
  for (const [p, bytes] of pools) {
    fillKeepBytes(bytes, keyOf('dropout', seed, step, microBatch, p), p)
    feeds[poolName(p)] = { data: bytes, shape: [bytes.length] }
  }
  const windows = stream(keyOf('windows', seed, step, microBatch))
  const starts = Int32Array.from(masks, ({ p }, i) => windows.below(pools.get(p)!.length - lengths[i]! + 1))
  feeds['dropout.start'] = { data: starts, shape: [masks.length] }
  feeds['dropout.end'] = { data: starts.map((start, i) => start + lengths[i]!), shape: [masks.length] }
  return feeds
}
