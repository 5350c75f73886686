import { permutation } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'

/** The order [count] in which an epoch visits the rows: a permutation that depends on seed and epoch alone, or the file's order. */
export function epochOrder(count: number, seed: number, epoch: number, shuffle: boolean): Int32Array {
  return shuffle ? permutation(count, keyOf('order', seed, epoch)) : Int32Array.from({ length: count }, (_, i) => i)
}
