import { z } from 'zod'
import type { Architecture } from './architecture.ts'
import { checked, decoderConfig } from './decoder-config.ts'
import { attentionMaps, preNorms, rotaryDecoder } from './rotary-decoder.ts'

const llamaConfig = checked(
  decoderConfig.extend({
    max_position_embeddings: z.number().int().positive().default(2048),
    mlp_bias: z.boolean().default(false),
  }),
)

/** Llama (Touvron et al. 2023) up to 3.3, and models of its form, such as SmolLM2. */
export const llama: Architecture = {
  modelType: 'llama',
  wire(json) {
    const config = llamaConfig.parse(json)
    return rotaryDecoder(config, {
      activation: config.hidden_act,
      biases: [...(config.attention_bias ? attentionMaps : []), ...(config.mlp_bias ? (['gate', 'up', 'down'] as const) : [])],
      norms: preNorms,
    })
  },
}
