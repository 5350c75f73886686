import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { mul } from '../graph/ops/elementwise.ts'
import { activation } from '../nn/activation.ts'
import { attention } from '../nn/attention.ts'
import { embedding } from '../nn/embedding.ts'
import { fusedLinear } from '../nn/fused-linear.ts'
import { linear } from '../nn/linear.ts'
import type { Network } from '../nn/network.ts'
import { norm } from '../nn/norm.ts'
import { meanOfTokens } from '../nn/pooling.ts'
import { residual } from '../nn/residual.ts'
import { rotary } from '../nn/rotary.ts'
import { someTokens } from '../nn/some-tokens.ts'
import { type Architecture, countingPositions, type HeadWiring } from './architecture.ts'
import { probability } from './config-fields.ts'
import { maskedLmHead } from './masked-lm.ts'
import { rotationOf } from './rotary-scaling.ts'

const size = () => z.number().int().positive()
const absent = z.null('it is not known here; save the model with transformers 4.57').optional()
const modernBertConfig = z
  .object({
    vocab_size: size(),
    hidden_size: size(),
    intermediate_size: size(),
    num_hidden_layers: size(),
    num_attention_heads: size(),
    hidden_activation: z.string().default('gelu'),
    max_position_embeddings: size().default(8192),
    initializer_range: z.number().default(0.02),
    norm_eps: z.number().default(1e-5),
    norm_bias: z.boolean().default(false),
    global_rope_theta: z.number().positive().default(160000),
    local_rope_theta: z.number().positive().nullable().default(10000),
    global_attn_every_n_layers: size().default(3),
    local_attention: size().default(128),
    attention_bias: z.boolean().default(false),
    attention_dropout: probability.default(0),
    embedding_dropout: probability.default(0),
    mlp_bias: z.boolean().default(false),
    mlp_dropout: probability.default(0),
    decoder_bias: z.boolean().default(true),
    classifier_pooling: z.enum(['cls', 'mean']).default('cls'),
    classifier_dropout: probability.default(0),
    classifier_bias: z.boolean().default(false),
    classifier_activation: z.string().default('gelu'),
    tie_word_embeddings: z.boolean().default(true),
    rope_scaling: absent,
    rope_parameters: absent,
    layer_types: absent,
  })
  .refine(({ hidden_size: hidden, num_attention_heads: heads }) => hidden % (2 * heads) === 0, {
    path: ['num_attention_heads'],
    message: 'the heads together must be as wide as the model, each of even size',
  })
type Config = z.infer<typeof modernBertConfig>

const words = 'model.embeddings.tok_embeddings'

/** A norm of the model's kind. */
const normed = (network: Network, x: Value, name: string, layer: number | null, config: Config): Value =>
  norm(network, x, { name, layer, size: config.hidden_size, epsilon: config.norm_eps, bias: config.norm_bias })

function embeddings(network: Network, config: Config): Value {
  const { hidden_size: hidden } = config
  const name = 'model.embeddings'
  const looked = embedding(network, network.stream.ids, { name: words, rows: config.vocab_size, size: hidden })
  const text = network.embedding({ kind: 'embedding', name: words, layer: null, hidden }, { value: looked })
  const value = network.dropout(normed(network, text, `${name}.norm`, null, config), config.embedding_dropout)
  return network.embedding({ kind: 'embedding', name, layer: null, hidden, whole: true }, { value })
}

/** The stack of pre-norm layers, of which every so many sees whole rows and the others what is near, and the norm after them. */
function encoder(network: Network, embedded: Value, config: Config): Value {
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, global_rope_theta, local_rope_theta } = config
  const turnBy = (rope_theta: number) =>
    rotary(network, rotationOf({ ...config, rope_theta, rope_scaling: null, partial_rotary_factor: 1 }, hidden / heads))
  const whole = { turn: turnBy(global_rope_theta), reach: null }
  const near = { turn: turnBy(local_rope_theta ?? global_rope_theta), reach: Math.floor(config.local_attention / 2) }
  let x = embedded
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`
    const { turn, reach } = layer % config.global_attn_every_n_layers === 0 ? whole : near
    const input = layer === 0 ? x : normed(network, x, `${at}.attn_norm`, layer, config)
    const self = { name: `${at}.attn.Wqkv`, layer, in: hidden, out: hidden, bias: config.attention_bias }
    const roles = ['query', 'key', 'value'] as const
    const projections = roles.map((role) => ({ name: `${self.name}.${role}`, role }))
    const [query, key, value] = fusedLinear(network, input, self, projections) as [Value, Value, Value]
    const dropout = config.attention_dropout
    const context = attention(network, turn(query), turn(key), value, { name: `${at}.attn`, layer, heads, dropout, reach })
    const mixing = { name: `${at}.attn.Wo`, layer, in: hidden, out: hidden, bias: config.attention_bias }
    const attended = linear(network, context, { ...mixing, role: 'attention-output' })
    const middle = residual(network, x, attended, {
      ...{ layer, role: 'attention', dropout },
      ...{ module: `${at}.attention_adapters`, dense: mixing.name },
    })
    const wide = { name: `${at}.mlp.Wi`, layer, in: hidden, out: inner, bias: config.mlp_bias }
    const [gate, up] = fusedLinear(network, normed(network, middle, `${at}.mlp_norm`, layer, config), wide, [
      { name: `${wide.name}.gate`, role: 'gate' },
      { name: `${wide.name}.up`, role: 'up' },
    ]) as [Value, Value]
    const acted = network.dropout(mul(activation(config.hidden_activation)(gate), up), config.mlp_dropout)
    const narrow = { name: `${at}.mlp.Wo`, layer, in: inner, out: hidden, bias: config.mlp_bias }
    const down = linear(network, acted, { ...narrow, role: 'down' })
    x = residual(network, middle, down, {
      ...{ layer, role: 'feed-forward', dropout: null },
      ...{ module: `${at}.output_adapters`, dense: narrow.name },
    })
  }
  return normed(network, x, 'model.final_norm', null, config)
}

/** Logits of rows or tokens as `seen` picks them, behind the head that the model was pretrained with, which PEFT leaves alone. */
function headOn(config: Config, seen: (network: Network, x: Value) => Value): HeadWiring {
  const { hidden_size: hidden } = config
  return {
    modules: ['classifier'],
    logits(network, x, labels) {
      const dense = { name: 'head.dense', layer: null, in: hidden, out: hidden, bias: config.classifier_bias } as const
      const acted = activation(config.classifier_activation)(linear(network, seen(network, x), { ...dense, role: 'pooler' }))
      const dropped = network.dropout(normed(network, acted, 'head.norm', null, config), config.classifier_dropout)
      return linear(network, dropped, { name: 'classifier', role: 'head', layer: null, in: hidden, out: labels })
    },
  }
}

/** How a row becomes one vector. */
const poolings: Readonly<Record<Config['classifier_pooling'], (network: Network, x: Value) => Value>> = {
  cls: (network, x) => someTokens(network, x, network.stream.rowStart),
  mean: ({ stream }, x) => meanOfTokens(stream, x),
}

/** ModernBERT (Warner et al. 2024). */
export const modernbert: Architecture = {
  modelType: 'modernbert',
  wire(json) {
    const config = modernBertConfig.parse(json)
    const { hidden_size: hidden } = config
    const [ofRows, ofTokens] = [headOn(config, poolings[config.classifier_pooling]), headOn(config, (_network, x) => x)]
    return {
      prefix: 'model',
      layers: config.num_hidden_layers,
      hidden,
      vocabularySize: config.vocab_size,
      maxPositions: config.max_position_embeddings,
      initializerRange: config.initializer_range,
      positions: countingPositions,
      encode: (network) => encoder(network, embeddings(network, config), config),
      heads: {
        'sequence-classification': ofRows,
        'multiple-choice': ofRows,
        'token-classification': ofTokens,
        'question-answering': ofTokens,
        'masked-lm': maskedLmHead({
          modules: ['head', 'decoder'],
          dense: 'head.dense',
          denseBias: config.classifier_bias,
          norm: 'head.norm',
          normBias: config.norm_bias,
          activation: config.classifier_activation,
          bias: config.decoder_bias ? 'decoder.bias' : null,
          decoder: config.tie_word_embeddings ? words : 'decoder',
          hidden,
          size: hidden,
          vocabulary: config.vocab_size,
          epsilon: config.norm_eps,
        }),
      },
    }
  },
}
