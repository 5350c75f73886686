import { z } from 'zod'
import { probability } from './config-fields.ts'
import { tokenDropoutFields } from './language-head.ts'
import { rotaryFields } from './rotary-scaling.ts'

const size = z.number().int().positive()

/** The fields of `config.json` that decoders with rotary positions share, under HF's names. */
export const decoderConfig = z.object({
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: z.string().default('silu'),
  initializer_range: z.number().default(0.02),
  rms_norm_eps: z.number().default(1e-6),
  attention_dropout: probability.default(0),
  ...tokenDropoutFields,
  attention_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(false),
  ...rotaryFields,
})
export type DecoderConfig = z.infer<typeof decoderConfig>

/** Fields of decoders in which some layers see a window alone. */
export const windowFields = {
  sliding_window: size.nullable().default(4096),
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
}

/** How many of the last tokens a layer sees; null for all. Layers have a window where the config names them so, else where `inWindow` says. */
export function windowOf(
  { sliding_window: window, layer_types: types }: z.infer<z.ZodObject<typeof windowFields>>,
  inWindow: (layer: number) => boolean,
): (layer: number) => number | null {
  return (layer) => ((types ? types[layer] === 'sliding_attention' : inWindow(layer)) ? window : null)
}

/** The size of a head: what the config says, or an equal part of the model's. */
export const headSizeOf = ({ head_dim, hidden_size, num_attention_heads }: DecoderConfig): number =>
  head_dim ?? hidden_size / num_attention_heads

type Checked = DecoderConfig & { readonly layer_types?: readonly string[] | null | undefined }

/** The schema with what must hold between its fields. */
export const checked = <C extends Checked>(schema: z.ZodType<C>): z.ZodType<C> =>
  schema
    .refine((config) => headSizeOf(config) % 2 === 0, { path: ['head_dim'], message: 'the size of a head must be even' })
    .refine((config) => config.num_attention_heads % (config.num_key_value_heads ?? 1) === 0, {
      path: ['num_key_value_heads'],
      message: 'it must divide the number of heads',
    })
    .refine((config) => (config.layer_types?.length ?? config.num_hidden_layers) === config.num_hidden_layers, {
      path: ['layer_types'],
      message: 'there must be one for each layer',
    })
