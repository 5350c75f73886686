import { z } from 'zod'

const numbers = z.record(z.string().min(1), z.number())

const result = z.strictObject({
  method: z.string().min(1).describe('its name in the paper'),
  table: z
    .union([z.string().min(1), z.number().int().positive()])
    .nullable()
    .default(null)
    .describe('of which table'),
  budget: z.string().min(1).nullable().default(null).describe('its label in the paper'),
  values: numbers.describe('by the names of metrics, as printed; those of `data.test` as `test accuracy`'),
  deviations: numbers.default({}).describe('of `values`, where the paper has them'),
  set: z
    .array(z.string().min(3))
    .nullable()
    .default(null)
    .describe('the settings that make this run the one that the paper tells of, as for `--set`; null: no run here is'),
})
export type PublishedResult = z.infer<typeof result>

/** What a paper says that runs like this one came to. */
export const published = z.strictObject({
  paper: z.string().min(1).describe('which one'),
  rows: z
    .number()
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe('training rows of the whole data set; steps are counted from them where its file is not there'),
  seeds: z.number().int().positive().nullable().default(null).describe('how many the paper takes the mean of'),
  note: z.string().min(1).nullable().default(null).describe('what is known against these numbers'),
  results: z.array(result).min(1).describe('each a row of a table'),
})
export type Published = z.infer<typeof published>
