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

/** How rows are read and answers found: settings of a run that stay with its adapter. */
export const readingFields = {
  /** Null: guessed from the names of the first row that has text. */
  columns: columns.nullable().default(null),
  /** Tokens of a row, special tokens included; null: the task's own. */
  maxLength: z.number().int().positive().nullable().default(null),
  spans: spans.default(spans.parse({})),
}

export type Columns = z.infer<typeof columns>
export type Spans = z.infer<typeof spans>
export interface Reading {
  readonly columns: Columns | null
  readonly maxLength: number
  readonly spans: Spans
}
