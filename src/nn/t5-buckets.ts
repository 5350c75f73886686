import { constant, type Value } from '../graph/graph.ts'
import { add, clamp, sub } from '../graph/ops/elementwise.ts'
import { gather, reshape, transpose } from '../graph/ops/movement.ts'
import type { Scored } from './attention.ts'

/** How distances between tokens share the learned biases. */
export interface T5Buckets {
  readonly count: number
  /** Every distance from here on is in the last bucket. */
  readonly furthest: number
  /** Whether keys after the query have buckets of their own. */
  readonly both: boolean
}

const { fround } = Math

/**
 * The bucket of a key `distance` tokens after its query (Raffel et al. 2020): one for each near distance, logarithmic steps beyond. In
 * float32, as HF computes it: at the edges of buckets that decides.
 */
export function t5BucketOf(distance: number, { count, furthest, both }: T5Buckets): number {
  const half = both ? Math.floor(count / 2) : count
  const first = both && distance > 0 ? half : 0
  const far = both ? Math.abs(distance) : Math.max(0, -distance)
  const exact = Math.floor(half / 2)
  if (far < exact) return first + far
  const share = fround(fround(Math.log(fround(far / exact))) / fround(Math.log(furthest / exact)))
  return first + Math.min(half - 1, exact + Math.trunc(fround(share * (half - exact))))
}

/** T5's bias of scores by distance, `[1, heads, queries, keys]`, of learned rows `[buckets, heads]`. */
export function t5BucketBias(rows: Value, buckets: T5Buckets, { queryColumns, keyColumns }: Scored): Value {
  const { graph } = rows
  const { furthest } = buckets
  const [queries, keys] = [queryColumns.shape[0]!, keyColumns.shape[0]!]
  const distances = sub(reshape(keyColumns, [1, keys]), reshape(queryColumns, [queries, 1]))
  const table = Array.from({ length: 2 * furthest + 1 }, (_, i) => t5BucketOf(i - furthest, buckets))
  const chosen = gather(constant(graph, table, [table.length], distances.dtype), add(clamp(distances, -furthest, furthest), furthest))
  return reshape(transpose(gather(rows, chosen), [2, 0, 1]), [1, rows.shape[1]!, queries, keys])
}
