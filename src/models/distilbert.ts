import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { add, relu } from '../graph/ops/elementwise.ts'
import { gather } from '../graph/ops/movement.ts'
import { activation } from '../nn/activation.ts'
import { attention } from '../nn/attention.ts'
import { embedding } from '../nn/embedding.ts'
import { linear } from '../nn/linear.ts'
import type { Network } from '../nn/network.ts'
import { norm } from '../nn/norm.ts'
import { residual } from '../nn/residual.ts'
import type { Architecture } from './architecture.ts'
import { countingPositions } from './architecture.ts'
import { tokenHead } from './bert.ts'
import { maskedLmHead } from './masked-lm.ts'

const distilbertConfig = z.object({
  vocab_size: z.number().int().positive(),
  dim: z.number().int().positive(),
  n_layers: z.number().int().positive(),
  n_heads: z.number().int().positive(),
  hidden_dim: z.number().int().positive(),
  max_position_embeddings: z.number().int().positive(),
  activation: z.string().default('gelu'),
  dropout: z.number().default(0.1),
  attention_dropout: z.number().default(0.1),
  seq_classif_dropout: z.number().default(0.2),
  qa_dropout: z.number().default(0.1),
  initializer_range: z.number().default(0.02),
  tie_word_embeddings: z.boolean().default(true),
})
type Config = z.infer<typeof distilbertConfig>

const EPSILON = 1e-12

function embeddings(network: Network, config: Config): Value {
  const { stream } = network
  const name = 'distilbert.embeddings'
  const { dim: size } = config
  const words = network.embedding(
    { kind: 'embedding', name: `${name}.word_embeddings`, layer: null, hidden: size },
    {
      value: embedding(network, stream.ids, { name: `${name}.word_embeddings`, rows: config.vocab_size, size }),
    },
  )
  const places = embedding(network, stream.positions, { name: `${name}.position_embeddings`, rows: config.max_position_embeddings, size })
  const value = network.dropout(
    norm(network, add(words, places), { name: `${name}.LayerNorm`, layer: null, size, epsilon: EPSILON }),
    config.dropout,
  )
  return network.embedding({ kind: 'embedding', name, layer: null, hidden: size, whole: true }, { value })
}

function encoder(network: Network, embedded: Value, config: Config): Value {
  const { dim, hidden_dim: inner } = config
  let x = embedded
  for (let layer = 0; layer < config.n_layers; layer++) {
    const at = `distilbert.transformer.layer.${layer}`
    const square = { layer, in: dim, out: dim }
    const query = linear(network, x, { name: `${at}.attention.q_lin`, role: 'query', ...square })
    const key = linear(network, x, { name: `${at}.attention.k_lin`, role: 'key', ...square })
    const value = linear(network, x, { name: `${at}.attention.v_lin`, role: 'value', ...square })
    const heads = { name: `${at}.attention`, layer, heads: config.n_heads, dropout: config.attention_dropout }
    const context = attention(network, query, key, value, heads)
    const attended = linear(network, context, { name: `${at}.attention.out_lin`, role: 'attention-output', ...square })
    const ending = (name: string) => (sum: Value) => norm(network, sum, { name: `${at}.${name}`, layer, size: dim, epsilon: EPSILON })
    const middle = residual(network, x, attended, {
      module: `${at}.attention_adapters`,
      dense: `${at}.attention.out_lin`,
      layer,
      role: 'attention',
      dropout: 0,
      norm: ending('sa_layer_norm'),
    })
    const up = linear(network, middle, { name: `${at}.ffn.lin1`, role: 'up', layer, in: dim, out: inner })
    const down = linear(network, activation(config.activation)(up), { name: `${at}.ffn.lin2`, role: 'down', layer, in: inner, out: dim })
    x = residual(network, middle, down, {
      module: `${at}.output_adapters`,
      dense: `${at}.ffn.lin2`,
      layer,
      role: 'feed-forward',
      dropout: config.dropout,
      norm: ending('output_layer_norm'),
    })
  }
  return x
}

/** DistilBERT (Sanh et al. 2019): no token types, no pooler, no dropout after the attention. */
export const distilbert: Architecture = {
  modelType: 'distilbert',
  wire(json) {
    const config = distilbertConfig.parse(json)
    const { dim } = config
    return {
      prefix: 'distilbert',
      layers: config.n_layers,
      hidden: dim,
      vocabularySize: config.vocab_size,
      maxPositions: config.max_position_embeddings,
      initializerRange: config.initializer_range,
      positions: countingPositions,
      encode: (network) => encoder(network, embeddings(network, config), config),
      heads: {
        'sequence-classification': {
          modules: ['pre_classifier', 'classifier'],
          logits: (network, x, labels) => {
            const first = gather(x, network.stream.rowStart)
            const dense = relu(linear(network, first, { name: 'pre_classifier', role: 'head', layer: null, in: dim, out: dim }))
            const dropped = network.dropout(dense, config.seq_classif_dropout)
            return linear(network, dropped, { name: 'classifier', role: 'head', layer: null, in: dim, out: labels })
          },
        },
        'token-classification': tokenHead('classifier', dim, config.dropout),
        'question-answering': tokenHead('qa_outputs', dim, config.qa_dropout),
        'masked-lm': maskedLmHead({
          modules: ['vocab_transform', 'vocab_layer_norm', 'vocab_projector'],
          dense: 'vocab_transform',
          norm: 'vocab_layer_norm',
          activation: config.activation,
          bias: 'vocab_projector.bias',
          decoder: config.tie_word_embeddings ? 'distilbert.embeddings.word_embeddings' : 'vocab_projector',
          hidden: dim,
          size: dim,
          vocabulary: config.vocab_size,
          epsilon: EPSILON,
        }),
      },
    }
  },
}
