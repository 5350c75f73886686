import { z } from 'zod'

const columns = z.strictObject({
  text: z.string().min(1),
  pair: z.string().min(1).nullish(),
  /** By default what the task looks for. */
  label: z.string().min(1).optional(),
  /** What names a row in its answer. */
  id: z.string().min(1).optional(),
})

/** Answers that are stretches of a long text, which the model sees through windows. */
export const spans = z.strictObject({
  /** Tokens that a window shares with the one before it. */
  docStride: z.number().int().nonnegative().default(128),
  /** Longer questions are cut. */
  maxQuestionLength: z.number().int().positive().default(64),
  /** Starts and ends of each window that are tried, and answers that share the probability. */
  nBest: z.number().int().positive().default(20),
  /** In tokens. */
  maxAnswerLength: z.number().int().positive().default(30),
  /** Whether questions may have no answer; null: as the training rows have it. */
  unanswerable: z.boolean().nullable().default(null),
  /** A lead over the best answer by more than this makes no answer; null: what was best on the evaluation rows, 0 without. */
  nullThreshold: z.number().nullable().default(null),
})

/** Texts that are written after others. */
export const texts = z.strictObject({
  /** Put before what is read, such as "summarize: ". */
  prefix: z.string().default(''),
  /** Between what is read and what is written, in models without a decoder of its own; null: " ||" where rows have both. */
  separator: z.string().nullable().default(null),
  /** Tokens of what is written; longer texts are cut. */
  targetLength: z.number().int().positive().default(128),
  /** Which tokens count in the loss of models without a decoder of its own. */
  loss: z.enum(['written', 'all']).default('written'),
  /** For masked words: texts one after another, cut into rows of `maxLength` tokens, in place of a row for each. */
  packed: z.boolean().default(false),
})

/** How rows are read and answers found: settings of a run that stay with its adapter. */
export const readingFields = {
  /** Null: guessed from the names of the first row that has text. */
  columns: columns.nullable().default(null),
  /** Tokens of a row, special tokens included; null: the task's own. */
  maxLength: z.number().int().positive().nullable().default(null),
  spans: spans.default(spans.parse({})),
  texts: texts.default(texts.parse({})),
}

export type Columns = z.infer<typeof columns>
export type Spans = z.infer<typeof spans>
export type Texts = z.infer<typeof texts>
export interface Reading {
  readonly columns: Columns | null
  readonly maxLength: number
  readonly spans: Spans
  readonly texts: Texts
}
