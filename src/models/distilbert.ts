import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { add } from '../graph/ops/elementwise.ts'
import { embedding } from '../nn/embedding.ts'
import type { Network } from '../nn/network.ts'
import { norm } from '../nn/norm.ts'
import { postNormLayer } from '../nn/post-norm-layer.ts'
import type { Architecture } from './architecture.ts'
import { countingPositions } from './architecture.ts'
import { tokenHead } from './bert.ts'
import { probability, wholeHeads } from './config-fields.ts'
import { firstTokenHead } from './first-token-head.ts'
import { maskedLmHead } from './masked-lm.ts'

const distilbertConfig = z
  .object({
    vocab_size: z.number().int().positive(),
    dim: z.number().int().positive(),
    n_layers: z.number().int().positive(),
    n_heads: z.number().int().positive(),
    hidden_dim: z.number().int().positive(),
    max_position_embeddings: z.number().int().positive(),
    activation: z.string().default('gelu'),
    dropout: probability.default(0.1),
    attention_dropout: probability.default(0.1),
    seq_classif_dropout: probability.default(0.2),
    qa_dropout: probability.default(0.1),
    initializer_range: z.number().default(0.02),
    tie_word_embeddings: z.boolean().default(true),
  })
  .refine(...wholeHeads('n_heads', 'dim'))
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
  let x = embedded
  for (let layer = 0; layer < config.n_layers; layer++) {
    const at = `distilbert.transformer.layer.${layer}`
    const self = `${at}.attention`
    x = postNormLayer(network, x, {
      layer,
      hidden: config.dim,
      inner: config.hidden_dim,
      activation: config.activation,
      epsilon: EPSILON,
      self: {
        name: self,
        query: `${self}.q_lin`,
        key: `${self}.k_lin`,
        value: `${self}.v_lin`,
        heads: config.n_heads,
        dropout: config.attention_dropout,
      },
      attended: { dense: `${self}.out_lin`, norm: `${at}.sa_layer_norm`, module: `${at}.attention_adapters`, dropout: null },
      up: `${at}.ffn.lin1`,
      fed: { dense: `${at}.ffn.lin2`, norm: `${at}.output_layer_norm`, module: `${at}.output_adapters`, dropout: config.dropout },
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
    const head = firstTokenHead({
      modules: ['pre_classifier', 'classifier'],
      hidden: dim,
      dense: 'pre_classifier',
      role: 'head',
      activation: 'relu',
      dropout: config.seq_classif_dropout,
      out: 'classifier',
    })
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
        'sequence-classification': head,
        'multiple-choice': head,
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
