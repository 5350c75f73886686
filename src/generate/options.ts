import { z } from 'zod'

const count = z.number().int().positive('must be at least 1')

/** How texts are written; the names of HF's `generate`, in one word. */
const fields = {
  /** Tokens of a text at most, and at least, its end not counted. */
  maxNewTokens: count,
  minNewTokens: z.number().int().nonnegative(),
  /** Texts that are pursued at a time; 1 takes the likeliest token each time. */
  beams: count,
  /** Above 0 favours long texts: scores are divided by the length to this power. */
  lengthPenalty: z.number(),
  /** Whether beams stop once so many texts have ended (true), none is likely to become better (false), or none can (never). */
  earlyStopping: z.union([z.boolean(), z.literal('never')]),
  /** Stretches of so many tokens come once at most; 0 lets them repeat. */
  noRepeatNgram: z.number().int().nonnegative(),
  /** Logits of tokens that were there are divided by it, or multiplied where negative (Keskar et al. 2019). */
  repetitionPenalty: z.number().positive(),
  /** The token that every text begins, or that ends texts which grow too long, with; null for none. */
  forcedStart: z.number().int().nonnegative().nullable(),
  forcedEnd: z.number().int().nonnegative().nullable(),
  /** Whether tokens are drawn; `temperature`, `topK` and `topP` say from which. */
  sample: z.boolean(),
  temperature: z.number().positive(),
  /** 0 for all. */
  topK: z.number().int().nonnegative(),
  topP: z.number().positive().max(1),
  seed: z.number().int().nonnegative(),
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

/** Options with the defaults where nothing is given. ZodError for a value that cannot be. */
export const generationOptions = (given: GivenOptions): GenerationOptions => complete.parse({ ...defaults, ...given })
