import { z } from 'zod'

const numbers = z.record(z.string().min(1), z.number())

const result = z.strictObject({
  /** As the paper names it. */
  method: z.string().min(1),
  /** Of the paper. */
  table: z
    .union([z.string().min(1), z.number().int().positive()])
    .nullable()
    .default(null),
  /** As the paper labels it. */
  budget: z.string().min(1).nullable().default(null),
  /** By the names of metrics, as printed; those of `data.test` as `test accuracy`. */
  values: numbers,
  deviations: numbers.default({}),
  /** The settings that make this run the one that the paper tells of, as for `--set`; null: no run here is. */
  set: z.array(z.string().min(3)).nullable().default(null),
})
export type PublishedResult = z.infer<typeof result>

/** What a paper says that runs like this one came to. */
export const published = z.strictObject({
  paper: z.string().min(1),
  /** Training rows of the whole data set; steps are counted from them where its file is not there. */
  rows: z.number().int().positive().nullable().default(null),
  seeds: z.number().int().positive().nullable().default(null),
  /** What is known against these numbers. */
  note: z.string().min(1).nullable().default(null),
  results: z.array(result).min(1),
})
export type Published = z.infer<typeof published>
