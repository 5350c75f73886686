import { permutation } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'

/** The order [count] in which an epoch visits the rows: a permutation that depends on seed and epoch alone, or the file's order. */
export function epochOrder(count: number, seed: number, epoch: number, shuffle: boolean): Int32Array {
  return shuffle ? permutation(count, keyOf('order', seed, epoch)) : Int32Array.from({ length: count }, (_, i) => i)
}

/** The numbers of rows, the longest first, so that rows of like length share a batch and attention wastes little. */
export const byLength = (rows: readonly { readonly ids: ArrayLike<number> }[]): number[] =>
  rows.map((_, i) => i).sort((a, b) => rows[b]!.ids.length - rows[a]!.ids.length || a - b)
