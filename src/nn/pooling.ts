import type { Value } from '../graph/graph.ts'
import { cast, div, greater, mul } from '../graph/ops/elementwise.ts'
import { rearrange, reshape } from '../graph/ops/movement.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import type { Stream } from './stream.ts'

/** The mean of each row's tokens that may be attended, `[rows, n]`, of `[tokens, n]`. */
export function meanOfTokens({ keyMask, slotMask, unpack }: Stream, x: Value): Value {
  const [rows, length] = slotMask.shape as [string, string]
  const open = reshape(cast(greater(keyMask, -1), x.dtype), [rows, length, 1])
  const sums = reduceSum(mul(rearrange(x, unpack), open), { axes: [1] })
  return div(sums, reduceSum(open, { axes: [1] }))
}
