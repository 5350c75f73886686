import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { readFields } from '../json-file.ts'
import type { Model } from '../models/open.ts'
import { type GenerationOptions, type GivenOptions, generationOptions } from './options.ts'

const id = z.number().int().nonnegative()
const fields = z.object({
  eos_token_id: z.union([id, z.array(id)]).nullish(),
  forced_bos_token_id: id.nullish(),
  forced_eos_token_id: id.nullish(),
  max_new_tokens: z.number().int().positive().nullish(),
  min_new_tokens: id.nullish(),
  num_beams: z.number().int().positive().nullish(),
  length_penalty: z.number().nullish(),
  early_stopping: z.union([z.boolean(), z.literal('never')]).nullish(),
  no_repeat_ngram_size: id.nullish(),
  repetition_penalty: z.number().positive().nullish(),
  do_sample: z.boolean().nullish(),
  temperature: z.number().positive().nullish(),
  top_k: id.nullish(),
  top_p: z.number().positive().max(1).nullish(),
})

/** HF's names of options. */
const names: Readonly<Partial<Record<keyof GenerationOptions, keyof z.infer<typeof fields>>>> = {
  maxNewTokens: 'max_new_tokens',
  minNewTokens: 'min_new_tokens',
  beams: 'num_beams',
  lengthPenalty: 'length_penalty',
  earlyStopping: 'early_stopping',
  noRepeatNgram: 'no_repeat_ngram_size',
  repetitionPenalty: 'repetition_penalty',
  forcedStart: 'forced_bos_token_id',
  forcedEnd: 'forced_eos_token_id',
  sample: 'do_sample',
  temperature: 'temperature',
  topK: 'top_k',
  topP: 'top_p',
}

/** How a model asks to be used for writing. */
export interface ModelSettings {
  /** Tokens that end a text. */
  readonly ends: readonly number[]
  /** Its options, below those of the user. */
  readonly options: GivenOptions
}

/**
 * What the model folder says of writing: `generation_config.json`, else the fields that `config.json` carries.
 * @throws UserError for a file that is not JSON, or a value that cannot be used
 */
export function modelSettings({ folder, config }: Model): ModelSettings {
  const own = join(folder, 'generation_config.json')
  const [file, given] = existsSync(own) ? [own, readFields(own)] : [join(folder, 'config.json'), config]
  const parsed = fields.safeParse(given)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new UserError(`${file}: "${issue?.path.join('.')}" cannot be used: ${issue?.message}; correct it.`)
  }
  const { data } = parsed
  const options = Object.entries(names).flatMap(([option, name]) => {
    const value = data[name]
    return value === null || value === undefined ? [] : [[option, value] as const]
  })
  return { ends: [data.eos_token_id ?? []].flat(), options: Object.fromEntries(options) }
}

/** The user's options, then the model's, then the defaults. */
export const withDefaults = (given: GivenOptions, { options }: ModelSettings): GenerationOptions =>
  generationOptions({ ...options, ...given })
