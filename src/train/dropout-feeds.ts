import { evaluate } from '../graph/dim.ts'
import { type Mask, poolName } from '../nn/masks.ts'
import { normals, stream, uniforms } from '../random/draws.ts'
import { fillKeepBytes } from '../random/keep-bytes.ts'
import { type Key, keyOf } from '../random/key.ts'
import type { Feeds } from '../runtime/session.ts'

export interface DropoutMoment {
  readonly seed: number
  readonly step: number
  readonly microBatch: number
  /** Of the micro-batch, counted from 0. */
  readonly chunk?: number
}

/** A pool's numbers: keep-bytes of a dropout probability, or noise of a kind. */
function poolOf(p: Mask['p'], length: number, key: Key): Uint8Array | Float32Array {
  if (p === 'normal') return normals(length, key, { mean: 0, deviation: 1 })
  if (p === 'uniform') return uniforms(length, key, { low: -1, high: 1 })
  const bytes = new Uint8Array(length)
  fillKeepBytes(bytes, key, p)
  return bytes
}

/**
 * The random numbers of a chunk of a micro-batch, dropout's keep-bytes and noise: for each probability and kind a pool at least twice as long as
 * its largest mask, fresh each time, and for each mask a window of it at a hashed place. A pure function of the moment.
 */
export function dropoutFeeds(
  masks: readonly Mask[],
  sizes: Readonly<Record<string, number>>,
  { seed, step, microBatch, chunk = 0 }: DropoutMoment,
): Feeds {
  if (masks.length === 0) return {}
  const moment = [seed, step, microBatch, ...(chunk > 0 ? ['chunk', chunk] : [])]
  const lengths = masks.map(({ size }) => evaluate(size, sizes))
  const pools = new Map<Mask['p'], Uint8Array | Float32Array>()
  const feeds: Record<string, Feeds[string]> = {}
  for (const { p } of masks) {
    if (pools.has(p)) continue
    const most = Math.max(...masks.flatMap((mask, k) => (mask.p === p ? [lengths[k]!] : [])))
    const data = poolOf(p, 2 * most, keyOf('dropout', ...moment, p))
    pools.set(p, data)
    feeds[poolName(p)] = { data, shape: [data.length] }
  }
  const windows = stream(keyOf('windows', ...moment))
  const starts = Int32Array.from(masks, ({ p }, i) => windows.below(pools.get(p)!.length - lengths[i]! + 1))
  feeds['dropout.start'] = { data: starts, shape: [masks.length] }
  feeds['dropout.end'] = { data: starts.map((start, i) => start + lengths[i]!), shape: [masks.length] }
  return feeds
}
