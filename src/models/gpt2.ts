import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { add } from '../graph/ops/elementwise.ts'
import { activation } from '../nn/activation.ts'
import { attention } from '../nn/attention.ts'
import { embedding } from '../nn/embedding.ts'
import { fusedLinear } from '../nn/fused-linear.ts'
import { type LinearDescription, linear } from '../nn/linear.ts'
import type { Network } from '../nn/network.ts'
import { norm } from '../nn/norm.ts'
import { residual } from '../nn/residual.ts'
import type { Architecture } from './architecture.ts'
import { countingPositions } from './architecture.ts'
import { tokenHead } from './bert.ts'
import { probability, wholeHeads } from './config-fields.ts'
import { lastTokenHead, tokenDropoutFields, tokenDropoutOf, wordsHead } from './language-head.ts'

const gpt2Config = z
  .object({
    vocab_size: z.number().int().positive(),
    n_embd: z.number().int().positive(),
    n_layer: z.number().int().positive(),
    n_head: z.number().int().positive(),
    n_positions: z.number().int().positive(),
    n_inner: z.number().int().positive().nullish(),
    activation_function: z.string().default('gelu_new'),
    resid_pdrop: probability.default(0.1),
    embd_pdrop: probability.default(0.1),
    attn_pdrop: probability.default(0.1),
    ...tokenDropoutFields,
    layer_norm_epsilon: z.number().default(1e-5),
    initializer_range: z.number().default(0.02),
    scale_attn_weights: z.boolean().default(true),
    scale_attn_by_inverse_layer_idx: z.boolean().default(false),
    add_cross_attention: z.literal(false).default(false),
    tie_word_embeddings: z.literal(true).default(true),
  })
  .refine(...wholeHeads('n_head', 'n_embd'))
type Config = z.infer<typeof gpt2Config>

const words = 'transformer.wte'

function embeddings(network: Network, { vocab_size, n_positions, n_embd: size, embd_pdrop }: Config): Value {
  const { stream } = network
  const value = network.embedding(
    { kind: 'embedding', name: words, layer: null, hidden: size },
    { value: embedding(network, stream.ids, { name: words, rows: vocab_size, size }) },
  )
  const places = embedding(network, stream.positions, { name: 'transformer.wpe', rows: n_positions, size })
  const whole = { kind: 'embedding', name: 'transformer', layer: null, hidden: size, whole: true } as const
  return network.embedding(whole, { value: network.dropout(add(value, places), embd_pdrop) })
}

/** The stack of pre-norm decoder layers and the norm after them. */
function decoder(network: Network, embedded: Value, config: Config): Value {
  const { n_embd: size, n_head: heads, layer_norm_epsilon: epsilon } = config
  const inner = config.n_inner ?? 4 * size
  let x = embedded
  for (let layer = 0; layer < config.n_layer; layer++) {
    const at = `transformer.h.${layer}`
    const normed = (value: Value, name: string): Value => norm(network, value, { name: `${at}.${name}`, layer, size, epsilon })
    const map = (value: Value, place: Omit<LinearDescription, 'layer'>): Value =>
      linear(network, value, { layer, transposed: true, ...place })
    const ending = { layer, dropout: config.resid_pdrop }
    const fused = { name: `${at}.attn.c_attn`, layer, in: size, out: size, transposed: true }
    const roles = ['query', 'key', 'value'] as const
    const projections = roles.map((role) => ({ name: `${at}.attn.c_attn.${role}`, role }))
    const [query, key, value] = fusedLinear(network, normed(x, 'ln_1'), fused, projections) as [Value, Value, Value]
    const context = attention(network, query, key, value, {
      name: `${at}.attn`,
      layer,
      heads,
      dropout: config.attn_pdrop,
      reads: 'decoder',
      scale: (config.scale_attn_weights ? Math.sqrt(heads / size) : 1) / (config.scale_attn_by_inverse_layer_idx ? layer + 1 : 1),
    })
    const attended = map(context, { name: `${at}.attn.c_proj`, role: 'attention-output', in: size, out: size })
    const middle = residual(network, x, attended, {
      ...ending,
      role: 'attention',
      module: `${at}.attention_adapters`,
      dense: `${at}.attn.c_proj`,
    })
    const up = map(normed(middle, 'ln_2'), { name: `${at}.mlp.c_fc`, role: 'up', in: size, out: inner })
    const acted = activation(config.activation_function)(up)
    const down = map(acted, { name: `${at}.mlp.c_proj`, role: 'down', in: inner, out: size })
    x = residual(network, middle, down, {
      ...ending,
      role: 'feed-forward',
      module: `${at}.output_adapters`,
      dense: `${at}.mlp.c_proj`,
    })
  }
  return norm(network, x, { name: 'transformer.ln_f', layer: null, size, epsilon })
}

/** GPT-2 (Radford et al. 2019). */
export const gpt2: Architecture = {
  modelType: 'gpt2',
  wire(json) {
    const config = gpt2Config.parse(json)
    const { n_embd: hidden, vocab_size: vocabularySize } = config
    return {
      prefix: 'transformer',
      layers: config.n_layer,
      hidden,
      vocabularySize,
      maxPositions: config.n_positions,
      initializerRange: config.initializer_range,
      positions: countingPositions,
      encode: (network) => decoder(network, embeddings(network, config), config),
      heads: {
        'causal-lm': wordsHead(words, [vocabularySize, hidden]),
        'sequence-classification': lastTokenHead(hidden),
        'token-classification': tokenHead('classifier', hidden, tokenDropoutOf(config)),
      },
    }
  },
}
