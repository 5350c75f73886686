import { z } from 'zod'
import { parseSettings } from '../settings/document.ts'

const count = z.number().int().positive('must be at least 1')

/** How texts are written; the names of HF's `generate`, in one word. */
const fields = {
  maxNewTokens: count.describe('tokens of a text at most, its end not counted'),
  minNewTokens: z.number().int().nonnegative().describe('at least'),
  beams: count.describe('texts that are pursued at a time; 1 takes the likeliest token each time'),
  lengthPenalty: z.number().describe('above 0 favours long texts: scores are divided by the length to this power'),
  earlyStopping: z
    .union([z.boolean(), z.literal('never')])
    .describe('whether beams stop once so many texts have ended (true), none is likely to become better (false), or none can (never)'),
  noRepeatNgram: z.number().int().nonnegative().describe('stretches of so many tokens come once at most; 0 lets them repeat'),
  repetitionPenalty: z
    .number()
    .positive()
    .describe('logits of tokens that were there are divided by it, or multiplied where negative (Keskar et al. 2019)'),
  forcedStart: z.number().int().nonnegative().nullable().describe('the id of the token that every text begins with; null for none'),
  forcedEnd: z.number().int().nonnegative().nullable().describe('the id of the token that ends texts which grow too long; null for none'),
  sample: z.boolean().describe('whether tokens are drawn; `temperature`, `topK` and `topP` say from which'),
  temperature: z.number().positive().describe('of drawing: logits are divided by it'),
  topK: z.number().int().nonnegative().describe('of drawing: so many of the likeliest tokens; 0 for all'),
  topP: z.number().positive().max(1).describe('of drawing: the likeliest tokens that have this probability together'),
  seed: z.number().int().nonnegative().describe('of drawing'),
}

const defaults = {
  maxNewTokens: 64,
  minNewTokens: 0,
  beams: 1,
  lengthPenalty: 1,
  earlyStopping: false,
  noRepeatNgram: 0,
  repetitionPenalty: 1,
  forcedStart: null,
  forcedEnd: null,
  sample: false,
  temperature: 1,
  topK: 0,
  topP: 1,
  seed: 1,
}

const complete = z.strictObject(fields)
export type GenerationOptions = z.infer<typeof complete>

/** Options that someone gives; the rest is for others to say. */
export const givenOptions = complete.partial()
export type GivenOptions = z.infer<typeof givenOptions>

/** Options with the defaults where nothing is given. UserError for a value that cannot be, or a name that is unknown. */
export const generationOptions = (given: GivenOptions): GenerationOptions =>
  parseSettings(complete, { ...defaults, ...given }, 'generation')
