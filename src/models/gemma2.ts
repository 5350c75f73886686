import { z } from 'zod'
import type { Architecture } from './architecture.ts'
import { checked, decoderConfig, windowFields, windowOf } from './decoder-config.ts'
import { attentionMaps, rotaryDecoder } from './rotary-decoder.ts'

const cap = z.number().positive().nullable()
const gemma2Config = checked(
  decoderConfig.extend({
    head_dim: z.number().int().positive().default(256),
    hidden_activation: z.string().default('gelu_pytorch_tanh'),
    max_position_embeddings: z.number().int().positive().default(8192),
    tie_word_embeddings: z.boolean().default(true),
    query_pre_attn_scalar: z.number().positive().default(256),
    ...windowFields,
    attn_logit_softcapping: cap.default(50),
    final_logit_softcapping: cap.default(30),
  }),
)

/** Gemma 2 (Gemma Team 2024): norms around each half of a layer, capped scores and logits, every other layer with a window. */
export const gemma2: Architecture = {
  modelType: 'gemma2',
  wire(json) {
    const config = gemma2Config.parse(json)
    return rotaryDecoder(config, {
      activation: config.hidden_activation,
      biases: config.attention_bias ? attentionMaps : [],
      scale: config.query_pre_attn_scalar ** -0.5,
      window: windowOf(config, (layer) => layer % 2 === 0),
      norms: {
        attention: { before: 'input_layernorm', after: 'post_attention_layernorm' },
        'feed-forward': { before: 'pre_feedforward_layernorm', after: 'post_feedforward_layernorm' },
      },
      around: 1,
      embeddingScale: Math.sqrt(config.hidden_size),
      scoreCap: config.attn_logit_softcapping,
      logitCap: config.final_logit_softcapping,
    })
  },
}
