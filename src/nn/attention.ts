import { maskedKey } from '../data/pack.ts'
import { product } from '../graph/dim.ts'
import type { Value } from '../graph/graph.ts'
import { add, greater, where } from '../graph/ops/elementwise.ts'
import { batchedMatmul } from '../graph/ops/matmul.ts'
import { concat, rearrange, reshape, transpose } from '../graph/ops/movement.ts'
import { softmax } from '../graph/ops/normalize.ts'
import type { Network } from './network.ts'
import type { KeyValueSite } from './site.ts'
import type { Stream } from './stream.ts'

/** What a bias of the scores may depend on. */
export interface Scored {
  /** `[rows, heads, queries, headSize]` */
  readonly query: Value
  /** `[rows, heads, keys, headSize]` */
  readonly key: Value
  /** Where queries and keys stand in their rows, `[queries]` and `[keys]`. */
  readonly queryColumns: Value
  readonly keyColumns: Value
}

export interface AttentionDescription {
  readonly name: string
  readonly layer: number
  readonly heads: number
  readonly dropout: number
  readonly reads?: KeyValueSite['reads']
  /** The stream of keys and values where it is not that of the queries. */
  readonly keys?: Stream
  /** What scores are multiplied by; `1 / √headSize` by default. */
  readonly scale?: number
  /** Added to the scores, `[rows | 1, heads | 1, queries, keys]`. */
  readonly bias?: (scored: Scored) => Value
}

/** The mask of a decoder, `[rows, 1, queries, keys]`: no query sees a key after it. */
function causal(mask: Value, { queryColumns, keyColumns }: Pick<Scored, 'queryColumns' | 'keyColumns'>): Value {
  const [queries, keys] = [reshape(queryColumns, [1, 1, queryColumns.shape[0]!, 1]), reshape(keyColumns, [1, 1, 1, keyColumns.shape[0]!])]
  return where(greater(keys, queries), maskedKey, mask)
}

/**
 * Multi-head scaled dot-product attention (Vaswani et al. 2017) over each row of a packed batch.
 * `query`, `key`, `value` and the result are `[tokens, heads * headSize]`; queries and result are on the network's stream.
 */
export function attention(
  network: Network,
  query: Value,
  key: Value,
  value: Value,
  { name, layer, heads, dropout, reads = 'encoder', keys = network.stream, scale, bias }: AttentionDescription,
): Value {
  const { stream } = network
  const headSize = (query.shape[1] as number) / heads
  const site: KeyValueSite = { kind: 'keyValue', name, layer, heads, headSize, reads }
  const byHead = (rows: Value): Value => transpose(reshape(rows, [rows.shape[0]!, rows.shape[1]!, heads, headSize]), [0, 2, 1, 3])
  const toHeads = (x: Value, { unpack }: Stream): Value => byHead(rearrange(x, unpack))
  const { past, ...now } = network.memory?.(site, key, value) ?? { key, value, past: null }
  const behind = (before: Value | undefined, own: Value, axis: number): Value => (before ? concat([before, own], axis) : own)
  const queries = toHeads(query, stream)
  const given = network.keyValue(site, {
    key: behind(past ? byHead(past.key) : undefined, toHeads(now.key, keys), 2),
    value: behind(past ? byHead(past.value) : undefined, toHeads(now.value, keys), 2),
    mask: behind(past?.mask, keys.keyMask, 3),
    columns: behind(past?.columns, keys.columns, 0),
  })
  const scored = { query: queries, key: given.key, queryColumns: stream.columns, keyColumns: given.columns }
  const products = batchedMatmul(queries, given.key, { transposeB: true, alpha: scale ?? 1 / Math.sqrt(headSize) })
  const mask = reads === 'decoder' ? causal(given.mask, scored) : given.mask
  const scores = add(bias ? add(products, bias(scored)) : products, mask)
  const weights = network.dropout(softmax(scores), dropout)
  const context = transpose(batchedMatmul(weights, given.value), [0, 2, 1, 3])
  const [rows, length] = [context.shape[0]!, context.shape[1]!]
  return rearrange(reshape(context, [rows, length, product([heads, headSize])]), stream.repack)
}
