import { product } from '../graph/dim.ts'
import type { Value } from '../graph/graph.ts'
import { add } from '../graph/ops/elementwise.ts'
import { batchedMatmul } from '../graph/ops/matmul.ts'
import { rearrange, reshape, transpose } from '../graph/ops/movement.ts'
import { softmax } from '../graph/ops/normalize.ts'
import type { Network } from './network.ts'
import type { Stream } from './stream.ts'

export interface AttentionDescription {
  readonly name: string
  readonly layer: number
  readonly heads: number
  readonly dropout: number
  /** The stream of keys and values where it is not that of the queries. */
  readonly keys?: Stream
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
  { name, layer, heads, dropout, keys = network.stream }: AttentionDescription,
): Value {
  const { stream } = network
  const hidden = query.shape[1] as number
  const headSize = hidden / heads
  const toHeads = (x: Value, { unpack }: Stream): Value => {
    const rows = rearrange(x, unpack)
    return transpose(reshape(rows, [rows.shape[0]!, rows.shape[1]!, heads, headSize]), [0, 2, 1, 3])
  }
  const queries = toHeads(query, stream)
  const given = network.keyValue(
    { kind: 'keyValue', name, layer, heads, headSize },
    { key: toHeads(key, keys), value: toHeads(value, keys), mask: keys.keyMask },
  )
  const scores = add(batchedMatmul(queries, given.key, { transposeB: true, alpha: 1 / Math.sqrt(headSize) }), given.mask)
  const weights = network.dropout(softmax(scores), dropout)
  const context = transpose(batchedMatmul(weights, given.value), [0, 2, 1, 3])
  const [rows, length] = [context.shape[0]!, context.shape[1]!]
  return rearrange(reshape(context, [rows, length, product([heads, headSize])]), stream.repack)
}
