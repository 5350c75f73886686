import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { add } from '../graph/ops/elementwise.ts'
import { concat } from '../graph/ops/movement.ts'
import { attention } from '../nn/attention.ts'
import { type DebertaBuckets, spanOf } from '../nn/deberta-buckets.ts'
import { disentangledScores, type RelativeTables, relativeRows } from '../nn/disentangled.ts'
import { embedding } from '../nn/embedding.ts'
import { linear } from '../nn/linear.ts'
import { type MaskedTokens, maskedTokens } from '../nn/masked-queries.ts'
import type { Network } from '../nn/network.ts'
import { norm } from '../nn/norm.ts'
import { postNormEnd } from '../nn/post-norm-layer.ts'
import type { Architecture } from './architecture.ts'
import { bertConfig, bertLayerEnd, bertSizes, predictionsHead, tokenHead } from './bert.ts'
import { probability } from './config-fields.ts'
import { firstTokenHead } from './first-token-head.ts'

/** The distance from which on all are one. */
const farthest = (config: { readonly max_relative_positions: number; readonly max_position_embeddings: number }): number =>
  config.max_relative_positions < 1 ? config.max_position_embeddings : config.max_relative_positions

const debertaConfig = bertConfig
  .safeExtend({
    type_vocab_size: z.number().int().nonnegative().default(0),
    layer_norm_eps: z.number().default(1e-7),
    embedding_size: z.number().int().positive().optional(),
    /** Whether the masked-LM head is BERT's; transformers' newer one goes by other names. */
    legacy: z.boolean().default(true),
    attention_head_size: z.number().int().positive().optional(),
    relative_attention: z.boolean().default(false),
    position_biased_input: z.boolean().default(true),
    position_buckets: z
      .number()
      .int()
      .refine((buckets) => buckets <= 0 || buckets >= 4, 'there must be at least 4 on each side, or -1 for none')
      .default(-1),
    max_relative_positions: z.number().int().default(-1),
    pos_att_type: z
      .union([z.string().transform((text) => text.split('|')), z.array(z.string())])
      .nullish()
      .transform((kinds) => (kinds ?? []).map((kind) => kind.trim()).filter((kind) => kind !== ''))
      .pipe(z.array(z.enum(['c2p', 'p2c']))),
    share_att_key: z.boolean().default(false),
    norm_rel_ebd: z.enum(['none', 'layer_norm']).default('none'),
    conv_kernel_size: z.literal(0, 'the convolution of DeBERTa-v2-xlarge is not supported; take a model without it').default(0),
    pooler_hidden_size: z.number().int().nullish(),
    pooler_dropout: probability.default(0),
    pooler_hidden_act: z.string().default('gelu'),
    cls_dropout: probability.nullish(),
  })
  .refine(({ pooler_hidden_size: pooler, hidden_size: hidden }) => (pooler ?? hidden) === hidden, {
    path: ['pooler_hidden_size'],
    message: 'the pooler must be as wide as the model',
  })
  .refine(({ attention_head_size: size, num_attention_heads: heads, hidden_size: hidden }) => (size ?? hidden / heads) * heads === hidden, {
    path: ['attention_head_size'],
    message: 'the heads together must be as wide as the model',
  })
  .refine((config) => config.position_buckets <= 0 || farthest(config) > config.position_buckets / 2 + 1, {
    path: ['position_buckets'],
    message: 'there must be fewer than twice the positions',
  })
type Config = z.infer<typeof debertaConfig>

const bucketsOf = (config: Config): DebertaBuckets => ({ buckets: Math.max(0, config.position_buckets), farthest: farthest(config) })

function embeddings(network: Network, config: Config, { cleared }: MaskedTokens): Value {
  const { stream } = network
  const { hidden_size: hidden, embedding_size: size = hidden, layer_norm_eps: epsilon } = config
  const name = 'deberta.embeddings'
  const table = (kind: string, indices: Value, rows: number): Value =>
    embedding(network, indices, { name: `${name}.${kind}_embeddings`, rows, size })
  const words = network.embedding(
    { kind: 'embedding', name: `${name}.word_embeddings`, layer: null, hidden: size },
    { value: table('word', stream.ids, config.vocab_size) },
  )
  const placed = config.position_biased_input ? add(words, table('position', stream.positions, config.max_position_embeddings)) : words
  const sum = config.type_vocab_size > 0 ? add(placed, table('token_type', stream.types, config.type_vocab_size)) : placed
  const projection = { name: `${name}.embed_proj`, role: 'projection', layer: null, in: size, out: hidden, bias: false } as const
  const wide = size === hidden ? sum : linear(network, sum, projection)
  const normed = norm(network, wide, { name: `${name}.LayerNorm`, layer: null, size: hidden, epsilon })
  const value = network.dropout(cleared(normed), config.hidden_dropout_prob)
  return network.embedding({ kind: 'embedding', name, layer: null, hidden, whole: true }, { value })
}

/** The embeddings of relative positions, `[passes * 2 span, hidden]`. */
function relativeEmbeddings(network: Network, config: Config): Value {
  const { hidden_size: size, layer_norm_eps: epsilon } = config
  const table = network.parameter('deberta.encoder.rel_embeddings.weight', [2 * spanOf(bucketsOf(config)), size], null)
  const { passes } = network
  const all = passes === 1 ? table : concat(Array<Value>(passes).fill(table), 0)
  return config.norm_rel_ebd === 'none' ? all : norm(network, all, { name: 'deberta.encoder.LayerNorm', layer: null, size, epsilon })
}

function encoder(network: Network, embedded: Value, config: Config, { cleared, evened }: MaskedTokens): Value {
  const { hidden_size: hidden, num_attention_heads: heads, pos_att_type: kinds } = config
  const relative = config.relative_attention ? relativeEmbeddings(network, config) : null
  const rowsOf = relativeRows(network.graph, bucketsOf(config))
  const scale = 1 / Math.sqrt((hidden / heads) * (1 + new Set(kinds).size))
  let x = embedded
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `deberta.encoder.layer.${layer}`
    const self = `${at}.attention.self`
    const map = (input: Value, name: string, role: 'query' | 'key' | 'value' | 'projection'): Value =>
      linear(network, input, { name: `${self}.${name}_proj`, role, layer, in: hidden, out: hidden })
    const [query, key, value] = [map(x, 'query', 'query'), map(x, 'key', 'key'), map(x, 'value', 'value')]
    const dropped = relative && network.dropout(relative, config.hidden_dropout_prob)
    const positions = (name: 'query' | 'key'): Value | null =>
      dropped && (config.share_att_key ? map(dropped, name, name) : map(dropped, `pos_${name}`, 'projection'))
    const tables: RelativeTables = {
      keys: kinds.includes('c2p') ? positions('key') : null,
      queries: kinds.includes('p2c') ? positions('query') : null,
    }
    const context = attention(network, cleared(query), key, value, {
      name: self,
      layer,
      heads,
      dropout: config.attention_probs_dropout_prob,
      scale,
      bias: (scored) => evened(disentangledScores(scored, tables, rowsOf, { scale, passes: network.passes }), scored),
    })
    x = postNormEnd(network, x, context, bertLayerEnd(config, at, layer))
  }
  return x
}

/** DeBERTa-v2 and v3 (He et al. 2021). */
export const deberta: Architecture = {
  modelType: 'deberta-v2',
  wire(json) {
    const config = debertaConfig.parse(json)
    const { hidden_size: hidden } = config
    // The pooler lies outside of HF's base model, and PEFT leaves it alone.
    const head = firstTokenHead({
      modules: ['classifier'],
      hidden,
      dense: 'pooler.dense',
      role: 'pooler',
      activation: config.pooler_hidden_act,
      inwardDropout: config.pooler_dropout,
      dropout: config.cls_dropout ?? config.hidden_dropout_prob,
      out: 'classifier',
    })
    return {
      prefix: 'deberta',
      ...bertSizes(config),
      encode(network) {
        const masked = maskedTokens(network.stream)
        return encoder(network, embeddings(network, config, masked), config, masked)
      },
      heads: {
        'sequence-classification': head,
        'multiple-choice': head,
        'token-classification': tokenHead('classifier', hidden, config.hidden_dropout_prob),
        'question-answering': tokenHead('qa_outputs', hidden, 0),
        ...(config.legacy && {
          'masked-lm': predictionsHead(config, config.embedding_size ?? hidden, 'deberta.embeddings.word_embeddings'),
        }),
      },
    }
  },
}
