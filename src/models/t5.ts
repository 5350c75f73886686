import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { mul } from '../graph/ops/elementwise.ts'
import { activation } from '../nn/activation.ts'
import { attention, type Scored } from '../nn/attention.ts'
import { embedding } from '../nn/embedding.ts'
import { linear } from '../nn/linear.ts'
import type { Network } from '../nn/network.ts'
import { scaleNorm } from '../nn/norm.ts'
import { residual } from '../nn/residual.ts'
import type { BranchSite, KeyValueSite } from '../nn/site.ts'
import { t5BucketBias } from '../nn/t5-buckets.ts'
import type { Architecture } from './architecture.ts'
import { countingPositions } from './architecture.ts'
import { probability } from './config-fields.ts'
import { wordsHead } from './language-head.ts'

const t5Config = z
  .object({
    vocab_size: z.number().int().positive(),
    d_model: z.number().int().positive(),
    d_kv: z.number().int().positive(),
    d_ff: z.number().int().positive(),
    num_layers: z.number().int().positive(),
    num_decoder_layers: z.number().int().positive().nullish(),
    num_heads: z.number().int().positive(),
    relative_attention_num_buckets: z.number().int().min(4).default(32),
    relative_attention_max_distance: z.number().int().positive().default(128),
    dropout_rate: probability.default(0.1),
    layer_norm_epsilon: z.number().default(1e-6),
    initializer_factor: z.number().default(1),
    feed_forward_proj: z.string().default('relu'),
    tie_word_embeddings: z.boolean().default(true),
    decoder_start_token_id: z.number().int().nonnegative().default(0),
    pad_token_id: z.number().int().nonnegative().default(0),
  })
  .refine((config) => config.relative_attention_max_distance > config.relative_attention_num_buckets / 2, {
    path: ['relative_attention_max_distance'],
    message: 'it must be more than half the buckets',
  })
type Config = z.infer<typeof t5Config>

/** Rows are as long as memory allows: distances beyond the last bucket are alike. */
const MOST_TOKENS = 4096

const words = 'shared'

/** `gated-gelu` stands for the tanh form, as in HF. */
function activationOf(projection: string): { readonly gated: boolean; readonly act: (x: Value) => Value } {
  const gated = projection.startsWith('gated-')
  const name = gated ? projection.slice('gated-'.length) : projection
  return { gated, act: activation(gated && name === 'gelu' ? 'gelu_new' : name) }
}

/** One of T5's two stacks of pre-norm layers, without biases; the decoder's layers also read the encoder. */
function stack(network: Network, embedded: Value, encoder: { network: Network; output: Value } | null, config: Config): Value {
  const { d_model: size, d_ff: inner, num_heads: heads, layer_norm_epsilon: epsilon, dropout_rate: dropout } = config
  const width = heads * config.d_kv
  const name = encoder ? 'decoder' : 'encoder'
  const { gated, act } = activationOf(config.feed_forward_proj)
  const buckets = {
    count: config.relative_attention_num_buckets,
    furthest: config.relative_attention_max_distance,
    both: !encoder,
  }
  const bias = (scored: Scored): Value => {
    const rows = `${name}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`
    return t5BucketBias(network.parameter(rows, [buckets.count, heads], 0), buckets, scored)
  }
  const layers = encoder ? (config.num_decoder_layers ?? config.num_layers) : config.num_layers
  const entering = network.dropout(embedded, dropout)
  const whole = { kind: 'embedding', name, layer: null, hidden: size, whole: true } as const
  let x = encoder ? entering : network.embedding(whole, { value: entering })
  for (let layer = 0; layer < layers; layer++) {
    let part = 0
    /** A sub-layer on the normalised stream, added to it. */
    const sublayer = (kind: string, role: BranchSite['role'], last: string, make: (input: Value, at: string) => Value): void => {
      const at = `${name}.block.${layer}.layer.${part++}`
      const input = scaleNorm(network, x, { name: `${at}.layer_norm`, layer, size, epsilon })
      const h = make(input, `${at}.${kind}`)
      x = residual(network, x, h, { module: at, dense: `${at}.${kind}.${last}`, layer, role, dropout })
    }
    const attend = (kind: string, reads: KeyValueSite['reads'], source: { network: Network; output: Value } | null): void =>
      sublayer(kind, source ? 'cross-attention' : 'attention', 'o', (input, at) => {
        const [on, read] = [source?.network ?? network, source?.output ?? input]
        const inward = { layer, in: size, out: width, bias: false }
        const query = linear(network, input, { name: `${at}.q`, role: 'query', ...inward })
        const key = linear(on, read, { name: `${at}.k`, role: 'key', ...inward })
        const value = linear(on, read, { name: `${at}.v`, role: 'value', ...inward })
        const context = attention(network, query, key, value, {
          name: at,
          layer,
          heads,
          dropout,
          reads,
          scale: 1,
          keys: on.stream,
          ...(!source && { bias }),
        })
        return linear(network, context, { name: `${at}.o`, role: 'attention-output', layer, in: width, out: size, bias: false })
      })
    attend('SelfAttention', encoder ? 'decoder' : 'encoder', null)
    if (encoder) attend('EncDecAttention', 'cross', encoder)
    sublayer('DenseReluDense', 'feed-forward', 'wo', (input, at) => {
      const up = { layer, in: size, out: inner, bias: false }
      const acted = gated
        ? mul(
            act(linear(network, input, { name: `${at}.wi_0`, role: 'gate', ...up })),
            linear(network, input, { name: `${at}.wi_1`, role: 'up', ...up }),
          )
        : act(linear(network, input, { name: `${at}.wi`, role: 'up', ...up }))
      return linear(network, network.dropout(acted, dropout), {
        name: `${at}.wo`,
        role: 'down',
        layer,
        in: inner,
        out: size,
        bias: false,
      })
    })
  }
  return network.dropout(scaleNorm(network, x, { name: `${name}.final_layer_norm`, layer: null, size, epsilon }), dropout)
}

/** Encoder and decoder over one table of words; the decoder's last hidden states. */
function encodeAndDecode(network: Network, config: Config): Value {
  const table = { name: words, rows: config.vocab_size, size: config.d_model }
  const sources = network.embedding(
    { kind: 'embedding', name: words, layer: null, hidden: config.d_model },
    { value: embedding(network, network.stream.ids, table) },
  )
  const output = stack(network, sources, null, config)
  const decoder = network.on('decoder')
  return stack(decoder, embedding(decoder, decoder.stream.ids, table), { network, output }, config)
}

/** T5 (Raffel et al. 2020), version 1.1 and FLAN-T5 too. */
export const t5: Architecture = {
  modelType: 't5',
  wire(json) {
    const config = t5Config.parse(json)
    const { d_model: hidden, vocab_size: vocabularySize } = config
    const tied = wordsHead(words, [vocabularySize, hidden])
    return {
      prefix: '',
      layers: config.num_layers,
      hidden,
      vocabularySize,
      maxPositions: MOST_TOKENS,
      initializerRange: 0.05 * config.initializer_factor,
      positions: countingPositions,
      decoder: { start: config.decoder_start_token_id, padding: config.pad_token_id },
      encode: (network) => encodeAndDecode(network, config),
      heads: {
        'seq2seq-lm': config.tie_word_embeddings
          ? { ...tied, logits: (network, x, labels) => tied.logits(network, mul(x, hidden ** -0.5), labels) }
          : wordsHead('lm_head', [vocabularySize, hidden]),
      },
    }
  },
}
