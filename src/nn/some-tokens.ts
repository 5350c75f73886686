import type { Value } from '../graph/graph.ts'
import { gather } from '../graph/ops/movement.ts'
import { pickedRows } from '../graph/picked-rows.ts'
import type { Network } from './network.ts'

/** The rows of `x` `[tokens, ...]` that are read alone, by their indices `[n]`; nothing is made that only other tokens would need. */
export function someTokens(
  { passes }: Network,
  x: Value,
  index: Value,
  of: (whole: Value) => Value = (whole) => gather(whole, index),
): Value {
  return pickedRows(x, { index, of, lanes: passes })
}
