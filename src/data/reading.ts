import { z } from 'zod'

const columns = z.strictObject({
  text: z.string().min(1).describe('the column of the text'),
  pair: z.string().min(1).nullish().describe('of the second text'),
  label: z.string().min(1).optional().describe('of the label; by default what the task looks for'),
  choices: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(2)])
    .optional()
    .describe('of multiple choice: a list, or a column for each choice'),
  id: z.string().min(1).optional().describe('of what names a row in its answer'),
})

/** Answers that are stretches of a long text, which the model sees through windows. */
export const spans = z.strictObject({
  docStride: z.number().int().nonnegative().default(128).describe('tokens that a window shares with the one before it'),
  maxQuestionLength: z.number().int().positive().default(64).describe('longer questions are cut'),
  nBest: z
    .number()
    .int()
    .positive()
    .default(20)
    .describe('starts and ends of each window that are tried, and answers that share the probability'),
  maxAnswerLength: z.number().int().positive().default(30).describe('tokens of an answer'),
  unanswerable: z.boolean().nullable().default(null).describe('whether questions may have no answer; null: as the training rows have it'),
  nullThreshold: z
    .number()
    .nullable()
    .default(null)
    .describe('a lead over the best answer by more than this makes no answer; null: what was best on the evaluation rows, 0 without'),
})

/** Texts that are written after others. */
export const texts = z.strictObject({
  prefix: z.string().default('').describe('put before what is read, such as `summarize: `'),
  entries: z.string().default(' && ').describe('between the entries of a text that is a list, such as triples'),
  fields: z
    .string()
    .default(' | ')
    .describe('between the fields of an entry: those of a list, or of a text that has them with `|` between'),
  separator: z
    .string()
    .nullable()
    .default(null)
    .describe('between what is read and what is written, in models without a decoder of its own; null: ` ||` where rows have both'),
  targetLength: z.number().int().positive().default(128).describe('tokens of what is written; longer texts are cut'),
  loss: z.enum(['written', 'all']).default('written').describe('which tokens count in the loss of such models'),
  chatTemplate: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("how conversations become texts, in Jinja's language, in place of the model's own template"),
  packed: z
    .boolean()
    .default(false)
    .describe('for masked words: texts one after another, cut into rows of `maxLength` tokens, in place of a row for each'),
})

/** How rows are read and answers found: settings of a run that stay with its adapter. */
export const readingFields = {
  columns: columns
    .nullable()
    .default(null)
    .describe('where the parts of a row are; null: guessed from the names of the first row that has text'),
  maxLength: z
    .number()
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe("tokens of a row, special tokens included; null: the task's own"),
  spans: spans.default(spans.parse({})).describe('answers that are stretches of a long text'),
  texts: texts.default(texts.parse({})).describe('texts that are written after others'),
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
