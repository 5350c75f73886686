import { permutation } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'

/** The order [count] in which an epoch visits the rows: a permutation that depends on seed and epoch alone, or the file's order. */
export function epochOrder(count: number, seed: number, epoch: number, shuffle: boolean): Int32Array {
  return shuffle ? permutation(count, keyOf('order', seed, epoch)) : Int32Array.from({ length: count }, (_, i) => i)
}

/** Batches whose rows are sorted together, at most. */
const sortedBatches = 50

/**
 * An epoch's order with rows of like length in one batch: pools of up to 50 batches, four pools at least, are sorted by length, and the
 * batches visited in an order that seed and epoch give. A short last batch stays the last.
 */
export function groupedByLength(
  order: Int32Array,
  lengthOf: (row: number) => number,
  { batchSize, seed, epoch }: { readonly batchSize: number; readonly seed: number; readonly epoch: number },
): Int32Array {
  const pool = batchSize * Math.min(sortedBatches, Math.max(1, Math.floor(order.length / (4 * batchSize))))
  const sorted = Int32Array.from(order)
  for (let start = 0; start < order.length; start += pool) sorted.subarray(start, start + pool).sort((a, b) => lengthOf(b) - lengthOf(a))
  const whole = Math.floor(order.length / batchSize)
  const visited = permutation(whole, keyOf('batches', seed, epoch))
  const grouped = Int32Array.from(sorted)
  visited.forEach((batch, at) => {
    grouped.set(sorted.subarray(batch * batchSize, (batch + 1) * batchSize), at * batchSize)
  })
  return grouped
}

/** The numbers of rows, the longest first, so that rows of like length share a batch and attention wastes little. */
export const byLength = (rows: readonly { readonly ids: ArrayLike<number> }[]): number[] =>
  rows.map((_, i) => i).sort((a, b) => rows[b]!.ids.length - rows[a]!.ids.length || a - b)
