import { z } from 'zod'
import type { Architecture } from './architecture.ts'
import { checked, decoderConfig, windowFields, windowOf } from './decoder-config.ts'
import { attentionMaps, type DecoderForm, preNorms, rotaryDecoder } from './rotary-decoder.ts'

const qwenFields = decoderConfig.extend({
  max_position_embeddings: z.number().int().positive().default(32768),
  use_sliding_window: z.boolean().default(false),
  max_window_layers: z.number().int().nonnegative().default(28),
  ...windowFields,
})
type QwenConfig = z.infer<typeof qwenFields>

/** What both generations have in common; where layers are not named, those after the first ones have a window. */
const form = (config: QwenConfig): Omit<DecoderForm, 'biases'> => ({
  activation: config.hidden_act,
  window: config.use_sliding_window ? windowOf(config, (layer) => layer >= config.max_window_layers) : () => null,
  norms: preNorms,
})

const qwen2Config = checked(qwenFields)

/** Qwen2 and Qwen2.5 (Yang et al. 2024): Llama with biases of queries, keys and values. */
export const qwen2: Architecture = {
  modelType: 'qwen2',
  wire(json) {
    const config = qwen2Config.parse(json)
    return rotaryDecoder(config, { ...form(config), biases: ['query', 'key', 'value'] })
  },
}

const qwen3Config = checked(qwenFields.extend({ head_dim: z.number().int().positive().nullable().default(128) }))

/** Qwen3 (Yang et al. 2025), dense: queries and keys are normalised head by head. */
export const qwen3: Architecture = {
  modelType: 'qwen3',
  wire(json) {
    const config = qwen3Config.parse(json)
    return rotaryDecoder(config, { ...form(config), biases: config.attention_bias ? attentionMaps : [], normedHeads: true })
  },
}
