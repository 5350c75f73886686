import type { Value } from '../graph/graph.ts'
import { gather } from '../graph/ops/movement.ts'
import type { Network } from './network.ts'

/** Rows of HF's `<name>.weight` `[rows, size]` for integer indices. */
export function embedding(network: Network, indices: Value, { name, rows, size }: { name: string; rows: number; size: number }): Value {
  return gather(network.parameter(`${name}.weight`, [rows, size], null), indices)
}
