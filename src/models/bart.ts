import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { add, mul } from '../graph/ops/elementwise.ts'
import { activation } from '../nn/activation.ts'
import { attention } from '../nn/attention.ts'
import { embedding } from '../nn/embedding.ts'
import { linear } from '../nn/linear.ts'
import type { Network } from '../nn/network.ts'
import { norm } from '../nn/norm.ts'
import { residual } from '../nn/residual.ts'
import type { KeyValueSite } from '../nn/site.ts'
import type { Architecture } from './architecture.ts'
import { probability, wholeHeads } from './config-fields.ts'
import { wordsHead } from './language-head.ts'

const size = () => z.number().int().positive()
const never = z.literal(0, 'layers are never dropped whole here; set it to 0').default(0)
const bartConfig = z
  .object({
    vocab_size: size(),
    d_model: size(),
    max_position_embeddings: size(),
    encoder_layers: size(),
    encoder_attention_heads: size(),
    encoder_ffn_dim: size(),
    decoder_layers: size(),
    decoder_attention_heads: size(),
    decoder_ffn_dim: size(),
    activation_function: z.string().default('gelu'),
    dropout: probability.default(0.1),
    attention_dropout: probability.default(0),
    activation_dropout: probability.default(0),
    encoder_layerdrop: never,
    decoder_layerdrop: never,
    init_std: z.number().default(0.02),
    scale_embedding: z.boolean().default(false),
    decoder_start_token_id: z.number().int().nonnegative().default(2),
    pad_token_id: z.number().int().nonnegative().default(1),
    tie_word_embeddings: z.literal(true).default(true),
  })
  .refine(...wholeHeads('encoder_attention_heads', 'd_model'))
  .refine(...wholeHeads('decoder_attention_heads', 'd_model'))
type Config = z.infer<typeof bartConfig>

const words = 'model.shared'
/** The table of positions has two rows before the first. */
const OFFSET = 2
/** BART's norms keep torch's own. */
const EPSILON = 1e-5

type Side = 'encoder' | 'decoder'

/** Words and positions, their norm and dropout. */
function embeddings(network: Network, side: Side, config: Config): Value {
  const { stream } = network
  const name = `model.${side}`
  const hidden = config.d_model
  const looked = embedding(network, stream.ids, { name: words, rows: config.vocab_size, size: hidden })
  const value = config.scale_embedding ? mul(looked, Math.sqrt(hidden)) : looked
  const text = side === 'encoder' ? network.embedding({ kind: 'embedding', name: words, layer: null, hidden }, { value }) : value
  const table = { name: `${name}.embed_positions`, rows: config.max_position_embeddings + OFFSET, size: hidden }
  const sum = add(text, embedding(network, stream.positions, table))
  const normed = norm(network, sum, { name: `${name}.layernorm_embedding`, layer: null, size: hidden, epsilon: EPSILON })
  const dropped = network.dropout(normed, config.dropout)
  return side === 'encoder' ? network.embedding({ kind: 'embedding', name, layer: null, hidden, whole: true }, { value: dropped }) : dropped
}

/** One of the two stacks of post-norm layers; the decoder's also read the encoder. */
function stack(network: Network, encoder: { network: Network; output: Value } | null, config: Config): Value {
  const side: Side = encoder ? 'decoder' : 'encoder'
  const { d_model: hidden, dropout } = config
  const [layers, heads, inner] = [config[`${side}_layers`], config[`${side}_attention_heads`], config[`${side}_ffn_dim`]]
  let x = embeddings(network, side, config)
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.${side}.layers.${layer}`
    const square = { layer, in: hidden, out: hidden }
    const ending = (name: string) => ({
      layer,
      dropout,
      norm: (sum: Value): Value => norm(network, sum, { name: `${at}.${name}`, layer, size: hidden, epsilon: EPSILON }),
    })
    const attend = (kind: string, reads: KeyValueSite['reads'], source: { network: Network; output: Value }): void => {
      const name = `${at}.${kind}`
      const query = linear(network, x, { name: `${name}.q_proj`, role: 'query', ...square })
      const key = linear(source.network, source.output, { name: `${name}.k_proj`, role: 'key', ...square })
      const value = linear(source.network, source.output, { name: `${name}.v_proj`, role: 'value', ...square })
      const context = attention(network, query, key, value, {
        name,
        layer,
        heads,
        dropout: config.attention_dropout,
        reads,
        keys: source.network.stream,
      })
      const dense = `${name}.out_proj`
      const attended = linear(network, context, { name: dense, role: 'attention-output', ...square })
      const module = reads === 'cross' ? `${at}.cross_attention_adapters` : `${at}.attention_adapters`
      x = residual(network, x, attended, {
        ...ending(`${kind}_layer_norm`),
        role: reads === 'cross' ? 'cross-attention' : 'attention',
        module,
        dense,
      })
    }
    attend('self_attn', side, { network, output: x })
    if (encoder) attend('encoder_attn', 'cross', encoder)
    const up = linear(network, x, { name: `${at}.fc1`, role: 'up', layer, in: hidden, out: inner })
    const acted = network.dropout(activation(config.activation_function)(up), config.activation_dropout)
    const down = linear(network, acted, { name: `${at}.fc2`, role: 'down', layer, in: inner, out: hidden })
    x = residual(network, x, down, {
      ...ending('final_layer_norm'),
      role: 'feed-forward',
      module: `${at}.output_adapters`,
      dense: `${at}.fc2`,
    })
  }
  return x
}

/** BART (Lewis et al. 2020). */
export const bart: Architecture = {
  modelType: 'bart',
  wire(json) {
    const config = bartConfig.parse(json)
    const { d_model: hidden, vocab_size: vocabularySize } = config
    return {
      prefix: 'model',
      layers: config.encoder_layers,
      hidden,
      vocabularySize,
      maxPositions: config.max_position_embeddings,
      initializerRange: config.init_std,
      positions: (ids) => ids.map((_, i) => i + OFFSET),
      // HF adds it to the logits; of BART it is zero, but a fine-tuned one might not be.
      zeros: ['final_logits_bias'],
      decoder: { start: config.decoder_start_token_id, padding: config.pad_token_id },
      encode: (network) => stack(network.on('decoder'), { network, output: stack(network, null, config) }, config),
      heads: { 'seq2seq-lm': wordsHead(words, [vocabularySize, hidden]) },
    }
  },
}
