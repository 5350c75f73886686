import { type Dim, product, sum } from '../graph/dim.ts'
import { constant, type Graph, type Value } from '../graph/graph.ts'
import { add, clamp, neg, sub } from '../graph/ops/elementwise.ts'
import { range } from '../graph/ops/indexing.ts'
import { batchedMatmul } from '../graph/ops/matmul.ts'
import { concat, gather, reshape, sizeOf, skew, split, transpose } from '../graph/ops/movement.ts'
import type { Scored } from './attention.ts'
import { type DebertaBuckets, rowTable } from './deberta-buckets.ts'

/** Rows of the table of relative positions, `[queries + keys + 1]` each. */
interface RelativeRows {
  /** For the distances from the number of keys down to minus the number of queries. */
  readonly descending: Value
  /** For the same distances upwards. */
  readonly ascending: Value
}

/** The rows that so many queries and keys need, where the keys end with the row and those too many stand before it. */
export function relativeRows(graph: Graph, buckets: DebertaBuckets): (queries: Dim, keys: Dim) => RelativeRows {
  const known = new Map<string, RelativeRows>()
  const { rows, reach } = rowTable(buckets)
  const table = constant(graph, rows, [rows.length], 'int32')
  const rowsOf = (distances: Value): Value => gather(table, add(clamp(distances, -reach, reach), reach))
  return (queries, keys) => {
    const name = `${queries} ${keys}`
    const [first, last] = [neg(sizeOf(graph, queries)), sizeOf(graph, keys)]
    const size = sum([queries, keys, 1])
    const made = known.get(name) ?? {
      descending: rowsOf(range(last, sub(first, 1), -1, size)),
      ascending: rowsOf(range(first, add(last, 1), 1, size)),
    }
    known.set(name, made)
    return made
  }
}

/** What content meets in a layer, each `[passes * table rows, heads * headSize]`; null where it has no part in the scores. */
export interface RelativeTables {
  /** Keys of relative positions, for the content's queries (c2p). */
  readonly keys: Value | null
  /** Queries of relative positions, for the content's keys (p2c). */
  readonly queries: Value | null
}

/** `content` `[rows, heads, n, headSize]` times a table's rows: `[heads, rows, n, columns]`, a column for each token at the other end. */
function against(content: Value, table: Value, rows: Value, columns: Dim, { scale, passes }: { scale: number; passes: number }): Value {
  const tables = split(table, 0, passes)
  const scores = split(content, 0, passes).map((lane, i) => {
    const [batch, heads, n, size] = lane.shape as [Dim, Dim, Dim, Dim]
    const flat = reshape(transpose(lane, [1, 0, 2, 3]), [heads, product([batch, n]), size])
    const positions = transpose(reshape(gather(tables[i]!, rows), [rows.shape[0]!, heads, size]), [1, 0, 2])
    const products = batchedMatmul(flat, positions, { transposeB: true, alpha: scale })
    return skew(reshape(products, [heads, batch, n, rows.shape[0]!]), columns)
  })
  return concat(scores, 1)
}

/**
 * What disentangled attention (He et al. 2021, equation 4) adds to the scores, `[rows, heads, queries, keys]`: content to position and
 * position to content; null for tables without either.
 */
export function disentangledScores(
  { query, key }: Scored,
  { keys, queries }: RelativeTables,
  rowsOf: ReturnType<typeof relativeRows>,
  options: { readonly scale: number; readonly passes: number },
): Value | null {
  const [from, to] = [query.shape[2]!, key.shape[2]!]
  const { ascending, descending } = rowsOf(from, to)
  const toPosition = keys && against(query, keys, descending, to, options)
  const toContent = queries && transpose(against(key, queries, ascending, from, options), [0, 1, 3, 2])
  const both = toPosition && toContent ? add(toPosition, toContent) : (toPosition ?? toContent)
  return both && transpose(both, [1, 0, 2, 3])
}
