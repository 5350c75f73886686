import { z } from 'zod'
import type { Rotation } from '../nn/rotary.ts'

const { fround } = Math
const size = z.number().int().positive()
const factor = z.number().positive()

/** `rope_theta` is beside the other fields in configs of transformers 5. */
const kind = <K extends string, S extends z.ZodRawShape>(name: K, fields: S) =>
  z.object({
    rope_type: z.literal(name),
    type: z.literal(name, 'rope_type is another way of scaling; leave one of the two out').optional(),
    rope_theta: factor.optional(),
    ...fields,
  })
const kinds = {
  default: kind('default', {}),
  linear: kind('linear', { factor }),
  dynamic: kind('dynamic', { factor }),
  llama3: kind('llama3', { factor, low_freq_factor: factor, high_freq_factor: factor, original_max_position_embeddings: size }),
  yarn: kind('yarn', {
    factor,
    original_max_position_embeddings: size.nullish(),
    attention_factor: factor.nullish(),
    beta_fast: factor.nullish(),
    beta_slow: factor.nullish(),
    mscale: z.number().nullish(),
    mscale_all_dim: z.number().nullish(),
    truncate: z.boolean().default(true),
  }),
}
type Kind = keyof typeof kinds
type Scaling = { [K in Kind]: z.infer<(typeof kinds)[K]> }

const known = Object.keys(kinds).join(', ')
const scaling = z.preprocess(
  // HF's older name of the field.
  (given) => (typeof given === 'object' && given !== null && 'type' in given ? { rope_type: given.type, ...given } : given),
  z.discriminatedUnion('rope_type', [kinds.default, kinds.linear, kinds.dynamic, kinds.llama3, kinds.yarn], {
    error: (issue) => (issue.code === 'invalid_union' ? `this way of scaling positions is not known; known are ${known}` : undefined),
  }),
)

/** The fields of HF's `config.json` that say how positions turn. */
export const rotaryFields = {
  rope_theta: factor.default(10000),
  rope_scaling: scaling.nullish(),
  /** The name of both in transformers 5. */
  rope_parameters: scaling.nullish(),
  max_position_embeddings: size,
  partial_rotary_factor: z.literal(1, 'only whole heads are turned').default(1),
}
const fields = z.object(rotaryFields)
type Fields = z.infer<typeof fields>

/** What a kind of scaling makes of frequencies; `base` is what these are powers of, `positions` how many the model has. */
type Scale<K extends Kind> = (frequencies: readonly number[], scaling: Scaling[K], model: { base: number; positions: number }) => Rotation

/** Chen et al. 2023: positions are divided. */
const linear: Scale<'linear'> = (frequencies, { factor }) => ({ frequencies: frequencies.map((f) => fround(f / factor)), amplitude: 1 })

/** Llama 3.1's: slow pairs are slowed down, fast ones stay, those between are blended. */
const llama3: Scale<'llama3'> = (frequencies, { factor, low_freq_factor: low, high_freq_factor: high, ...given }) => {
  const blend = (f: number): number => {
    const turns = (given.original_max_position_embeddings * f) / (2 * Math.PI)
    if (turns < low) return f / factor
    if (turns > high) return f
    const share = (turns - low) / (high - low)
    return ((1 - share) * f) / factor + share * f
  }
  return { frequencies: frequencies.map((f) => fround(blend(f))), amplitude: 1 }
}

/** YaRN (Peng et al. 2023, section 3): pairs that turn often within the length of pretraining stay, slow ones are slowed down. */
const yarn: Scale<'yarn'> = (frequencies, given, { base, positions }) => {
  const { factor, truncate, mscale, mscale_all_dim } = given
  const length = given.original_max_position_embeddings ?? positions
  const size = 2 * frequencies.length
  const bound = (turns: number, round: (x: number) => number): number => {
    const pair = (size * Math.log(length / (turns * 2 * Math.PI))) / (2 * Math.log(base))
    return truncate ? round(pair) : pair
  }
  const first = Math.max(bound(given.beta_fast ?? 32, Math.floor), 0)
  const last = Math.min(bound(given.beta_slow ?? 1, Math.ceil), size - 1)
  const ramp = (pair: number): number => Math.min(1, Math.max(0, (pair - first) / (last === first ? 0.001 : last - first)))
  const gain = (scale: number): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1)
  return {
    frequencies: frequencies.map((f, pair) => fround((f / factor) * ramp(pair) + f * (1 - ramp(pair)))),
    amplitude: given.attention_factor ?? (mscale && mscale_all_dim ? gain(mscale) / gain(mscale_all_dim) : gain(1)),
  }
}

const plain = (frequencies: readonly number[]): Rotation => ({ frequencies, amplitude: 1 })
const scales: { readonly [K in Kind]: Scale<K> } = {
  default: plain,
  linear,
  // It changes what lies beyond the model's positions, where rows do not reach.
  dynamic: plain,
  llama3,
  yarn,
}

/** How the pairs of a head turn under a config. */
export function rotationOf(
  { rope_theta, rope_scaling, rope_parameters, max_position_embeddings: positions }: Fields,
  headSize: number,
): Rotation {
  const scaling = rope_parameters ?? rope_scaling ?? { rope_type: 'default' as const }
  const base = scaling.rope_theta ?? rope_theta
  const frequencies = Array.from({ length: headSize / 2 }, (_, i) => fround(1 / fround(base ** ((2 * i) / headSize))))
  return (scales[scaling.rope_type] as Scale<Kind>)(frequencies, scaling, { base, positions })
}
