import { z } from 'zod'

const count = z.number().int().positive('must be at least 1')

/** How texts are written; the names of HF's `generate`, in one word. */
export const generationOptions = z.strictObject({
  /** Tokens of a text at most, and at least, its end not counted. */
  maxNewTokens: count.default(64),
  minNewTokens: z.number().int().nonnegative().default(0),
  /** Texts that are pursued at a time; 1 takes the likeliest token each time. */
  beams: count.default(1),
  /** Above 0 favours long texts: scores are divided by the length to this power. */
  lengthPenalty: z.number().default(1),
  /** Whether beams stop once so many texts have ended (true), none is likely to become better (false), or none can (never). */
  earlyStopping: z.union([z.boolean(), z.literal('never')]).default(false),
  /** Stretches of so many tokens come once at most; 0 lets them repeat. */
  noRepeatNgram: z.number().int().nonnegative().default(0),
  /** Logits of tokens that were there are divided by it, or multiplied where negative (Keskar et al. 2019). */
  repetitionPenalty: z.number().positive().default(1),
  /** The token that every text begins, or that ends texts which grow too long, with; null for none. */
  forcedStart: z.number().int().nonnegative().nullable().default(null),
  forcedEnd: z.number().int().nonnegative().nullable().default(null),
  /** Whether tokens are drawn; `temperature`, `topK` and `topP` say from which. */
  sample: z.boolean().default(false),
  temperature: z.number().positive().default(1),
  /** 0 for all. */
  topK: z.number().int().nonnegative().default(0),
  topP: z.number().positive().max(1).default(1),
  seed: z.number().int().nonnegative().default(1),
})
export type GenerationOptions = z.infer<typeof generationOptions>
