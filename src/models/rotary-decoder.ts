import type { Value } from '../graph/graph.ts'
import { mul } from '../graph/ops/elementwise.ts'
import { reshape } from '../graph/ops/movement.ts'
import { activation } from '../nn/activation.ts'
import { attention } from '../nn/attention.ts'
import { embedding } from '../nn/embedding.ts'
import { linear } from '../nn/linear.ts'
import type { Network } from '../nn/network.ts'
import { scaleNorm } from '../nn/norm.ts'
import { residual } from '../nn/residual.ts'
import { rotary } from '../nn/rotary.ts'
import type { LinearRole } from '../nn/site.ts'
import { countingPositions, type Wiring } from './architecture.ts'
import { tokenHead } from './bert.ts'
import { type DecoderConfig, headSizeOf } from './decoder-config.ts'
import { lastTokenHead, tokenDropoutOf, wordsHead } from './language-head.ts'
import { rotationOf } from './rotary-scaling.ts'

/** The names of Llama's norms. */
export const preNorms: DecoderForm['norms'] = {
  attention: { before: 'input_layernorm' },
  'feed-forward': { before: 'post_attention_layernorm' },
}

/** Linear maps of an attention. */
export const attentionMaps: readonly LinearRole[] = ['query', 'key', 'value', 'attention-output']

/** How a decoder differs from its relatives. */
export interface DecoderForm {
  readonly activation: string
  /** Linear maps with a bias. */
  readonly biases: readonly LinearRole[]
  /** Whether queries and keys are normalised head by head. */
  readonly normedHeads?: boolean
  /** What scores are multiplied by; `1 / √headSize` by default. */
  readonly scale?: number
  /** How many of the last tokens a layer sees; all by default. */
  readonly window?: (layer: number) => number | null
  /** Names of the norms before and after each of a layer's halves. */
  readonly norms: Readonly<Record<'attention' | 'feed-forward', { readonly before: string; readonly after?: string }>>
  /** What weights of norms are counted from. */
  readonly around?: number
  /** What word embeddings are multiplied by. */
  readonly embeddingScale?: number
  /** Caps of scores and of logits. */
  readonly scoreCap?: number | null
  readonly logitCap?: number | null
}

const words = 'model.embed_tokens'

function embedded(network: Network, { vocab_size: rows, hidden_size: hidden }: DecoderConfig, { embeddingScale = 1 }: DecoderForm): Value {
  const value = embedding(network, network.stream.ids, { name: words, rows, size: hidden })
  const placed = network.embedding({ kind: 'embedding', name: words, layer: null, hidden }, { value })
  return embeddingScale === 1 ? placed : mul(placed, embeddingScale)
}

/** The stack of pre-norm layers with grouped queries and gated activations, and the norm after them. */
function decoder(network: Network, config: DecoderConfig, form: DecoderForm): Value {
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, rms_norm_eps: epsilon } = config
  const { around = 0 } = form
  const headSize = headSizeOf(config)
  const keyHeads = config.num_key_value_heads ?? heads
  const turn = rotary(network, rotationOf(config, headSize))
  const act = activation(form.activation)
  let x = embedded(network, config, form)
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`
    const normed = (value: Value, name: string, width = hidden): Value =>
      scaleNorm(network, value, { name: `${at}.${name}`, layer, size: width, epsilon, around })
    const map = (input: Value, name: string, role: LinearRole, out: number): Value =>
      linear(network, input, { name: `${at}.${name}`, role, layer, in: input.shape[1] as number, out, bias: form.biases.includes(role) })
    const byHead = (value: Value, name: string): Value => {
      if (!form.normedHeads) return value
      const [tokens, width] = value.shape as [string, number]
      return reshape(normed(reshape(value, [tokens, width / headSize, headSize]), `self_attn.${name}`, headSize), value.shape)
    }
    const sublayer = (role: keyof DecoderForm['norms'], module: string, dense: string, make: (input: Value) => Value): void => {
      const { before, after } = form.norms[role]
      const made = make(normed(x, before))
      const h = after === undefined ? made : normed(made, after)
      x = residual(network, x, h, { layer, role, dropout: null, module: `${at}.${module}`, dense: `${at}.${dense}` })
    }
    sublayer('attention', 'attention_adapters', 'self_attn.o_proj', (input) => {
      const query = byHead(map(input, 'self_attn.q_proj', 'query', heads * headSize), 'q_norm')
      const key = byHead(map(input, 'self_attn.k_proj', 'key', keyHeads * headSize), 'k_norm')
      const value = map(input, 'self_attn.v_proj', 'value', keyHeads * headSize)
      const context = attention(network, turn(query), turn(key), value, {
        name: `${at}.self_attn`,
        layer,
        heads,
        keyHeads,
        dropout: config.attention_dropout,
        reads: 'decoder',
        cap: form.scoreCap ?? null,
        window: form.window?.(layer) ?? null,
        ...(form.scale !== undefined && { scale: form.scale }),
      })
      return map(context, 'self_attn.o_proj', 'attention-output', hidden)
    })
    sublayer('feed-forward', 'output_adapters', 'mlp.down_proj', (input) => {
      const gate = act(map(input, 'mlp.gate_proj', 'gate', inner))
      return map(mul(gate, map(input, 'mlp.up_proj', 'up', inner)), 'mlp.down_proj', 'down', hidden)
    })
  }
  return scaleNorm(network, x, { name: 'model.norm', layer: null, size: hidden, epsilon, around })
}

/** A decoder with rotary positions, grouped queries and gated activations, as Llama's relatives have them. */
export function rotaryDecoder(config: DecoderConfig, form: DecoderForm): Wiring {
  const { hidden_size: hidden, vocab_size: vocabularySize } = config
  return {
    prefix: 'model',
    layers: config.num_hidden_layers,
    hidden,
    vocabularySize,
    maxPositions: config.max_position_embeddings,
    initializerRange: config.initializer_range,
    positions: countingPositions,
    encode: (network) => decoder(network, config, form),
    heads: {
      'causal-lm': wordsHead(config.tie_word_embeddings ? words : 'lm_head', [vocabularySize, hidden], form.logitCap),
      'sequence-classification': lastTokenHead(hidden),
      'token-classification': tokenHead('score', hidden, tokenDropoutOf(config)),
    },
  }
}
