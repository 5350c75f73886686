import { maskedKey } from '../data/pack.ts'
import { type Dim, product } from '../graph/dim.ts'
import type { Value } from '../graph/graph.ts'
import { add, and, greater, mul, or, sub, tanh, where } from '../graph/ops/elementwise.ts'
import { batchedMatmul } from '../graph/ops/matmul.ts'
import { concat, reshape, transpose } from '../graph/ops/movement.ts'
import { softmax } from '../graph/ops/normalize.ts'
import { fromHeads, toHeads } from './heads.ts'
import type { Network } from './network.ts'
import type { KeyValueSite } from './site.ts'
import type { Stream } from './stream.ts'

/** What a bias of the scores may depend on. */
export interface Scored {
  /** `[rows, heads, queries, headSize]` */
  readonly query: Value
  /** `[rows, keyHeads, keys, headSize]` */
  readonly key: Value
  /** Where queries and keys stand in their rows, `[queries]` and `[keys]`. */
  readonly queryColumns: Value
  readonly keyColumns: Value
}

export interface AttentionDescription {
  readonly name: string
  readonly layer: number
  readonly heads: number
  /** Heads of keys and values, which as many heads of queries share (Ainslie et al. 2023); as many as of queries by default. */
  readonly keyHeads?: number
  readonly dropout: number
  readonly reads?: KeyValueSite['reads']
  /** The stream of keys and values where it is not that of the queries. */
  readonly keys?: Stream
  /** What scores are multiplied by; `1 / √headSize` by default. */
  readonly scale?: number
  /** Scores s become `cap tanh(s / cap)`, so that none is larger. */
  readonly cap?: number | null
  /** How many of the last tokens, itself counted, a decoder's token sees; all by default. */
  readonly window?: number | null
  /** How far to either side an encoder's token sees; all by default. What is put before a row is seen by all of it. */
  readonly reach?: number | null
  /** Added to the scores, `[rows | 1, heads | 1, queries, keys]`. */
  readonly bias?: (scored: Scored) => Value
}

interface Sight extends Pick<Scored, 'queryColumns' | 'keyColumns'> {
  readonly window: number | null
  /** The column of each row's first token, `[rows]`; 0 by default. */
  readonly first?: Value | undefined
}

/** The mask of a decoder, `[rows, 1, queries, keys]`: no query sees a key after it, nor one outside of its window. */
function causal(mask: Value, { queryColumns, keyColumns, window, first }: Sight): Value {
  const [queries, keys] = [reshape(queryColumns, [1, 1, queryColumns.shape[0]!, 1]), reshape(keyColumns, [1, 1, 1, keyColumns.shape[0]!])]
  const after = greater(keys, queries)
  if (window === null) return where(after, maskedKey, mask)
  // What was put before a row ends where the row begins.
  const places = first ? where(greater(0, keys), add(keys, reshape(first, [first.shape[0]!, 1, 1, 1])), keys) : keys
  return where(or(after, greater(sub(queries, places), window - 1)), maskedKey, mask)
}

/** The mask of an encoder, `[rows, 1, queries, keys]`, whose tokens see so far to either side. */
function nearby(mask: Value, { queryColumns, keyColumns }: Pick<Scored, 'queryColumns' | 'keyColumns'>, reach: number): Value {
  const [queries, keys] = [reshape(queryColumns, [1, 1, queryColumns.shape[0]!, 1]), reshape(keyColumns, [1, 1, 1, keyColumns.shape[0]!])]
  const far = or(greater(sub(keys, queries), reach), greater(sub(queries, keys), reach))
  return where(and(far, greater(keys, -1)), maskedKey, mask)
}

/**
 * Multi-head scaled dot-product attention (Vaswani et al. 2017) over each row of a packed batch.
 * `query` and the result are `[tokens, heads * headSize]` on the network's stream, `key` and `value` `[tokens, keyHeads * headSize]`.
 */
export function attention(network: Network, query: Value, key: Value, value: Value, description: AttentionDescription): Value {
  const {
    name,
    layer,
    heads,
    keyHeads = heads,
    dropout,
    reads = 'encoder',
    keys = network.stream,
    bias,
    cap = null,
    window = null,
    reach = null,
  } = description
  const { stream } = network
  const headSize = (query.shape[1] as number) / heads
  const sharing = heads / keyHeads
  const site: KeyValueSite = { kind: 'keyValue', name, layer, heads: keyHeads, sharing, headSize, reads }
  const byHead = (x: Value): Value =>
    transpose(reshape(x, [x.shape[0]!, x.shape[1]!, (x.shape[2] as number) / headSize, headSize]), [0, 2, 1, 3])
  const { past, ...now } = network.memory?.(site, key, value) ?? { key, value, past: null }
  const behind = (before: Value | undefined, own: Value, axis: number): Value => (before ? concat([before, own], axis) : own)
  const queries = toHeads(stream, query, heads)
  const given = network.keyValue(site, {
    key: behind(past ? byHead(past.key) : undefined, toHeads(keys, now.key, keyHeads), 2),
    value: behind(past ? byHead(past.value) : undefined, toHeads(keys, now.value, keyHeads), 2),
    mask: behind(past?.mask, keys.keyMask, 3),
    columns: behind(past?.columns, keys.columns, 0),
  })
  const [rows, , length] = queries.shape as [Dim, Dim, Dim]
  // Queries that share keys are one longer list of queries to them.
  const shared = (x: Value): Value => reshape(x, [rows, keyHeads, product([sharing, length]), x.shape[3]!])
  const own = (x: Value): Value => reshape(x, [rows, heads, length, x.shape[3]!])
  const scored = { query: queries, key: given.key, queryColumns: stream.columns, keyColumns: given.columns }
  const scale = description.scale ?? 1 / Math.sqrt(headSize)
  const raw = own(batchedMatmul(shared(queries), given.key, { transposeB: true, alpha: cap === null ? scale : scale / cap }))
  const products = cap === null ? raw : mul(tanh(raw), cap)
  const near = reach === null ? given.mask : nearby(given.mask, scored, reach)
  const mask = reads === 'decoder' ? causal(near, { ...scored, window, first: past?.first }) : near
  const scores = add(bias ? add(products, bias(scored)) : products, mask)
  const weights = network.dropout(softmax(scores), dropout)
  return fromHeads(stream, own(batchedMatmul(shared(weights), given.value)))
}
