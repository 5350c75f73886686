import { z } from 'zod'
import { readingFields } from '../data/reading.ts'
import { givenOptions } from '../generate/options.ts'
import { bases } from '../lowering/bases.ts'
import { methodOptions } from '../methods/index.ts'
import { textMetricFault } from '../metrics/text/index.ts'
import { knownTasks, taskFilePath } from '../tasks/named-tasks.ts'
import { taskFile } from '../tasks/task-file.ts'
import { published } from './published.ts'

const part = z.union([z.number().int().positive(), z.tuple([z.number().int().nonnegative(), z.number().int().positive()])])

const data = z.strictObject({
  train: z.string().min(1),
  eval: z.string().min(1).nullable().default(null),
  /** Rows that are scored once, at the end, by what the run keeps. */
  test: z.string().min(1).nullable().default(null),
  /** Of each file the first so many rows, or those from one number up to another, counted from 0; else all. */
  rows: z.strictObject({ train: part.optional(), eval: part.optional(), test: part.optional() }).nullable().default(null),
  /** So many training rows of each class, drawn by the seed; null: all rows. */
  shots: z.number().int().positive().nullable().default(null),
  /** As many others of each class, to evaluate on in place of `eval`. */
  evalShots: z.number().int().positive().nullable().default(null),
  /** A column of seeds: rows of other seeds than the run's are left out, in files that have it. */
  seedColumn: z.string().min(1).nullable().default(null),
  /** Names of the classes in order; else the model's, else what the training data has. */
  labels: z.array(z.string()).min(1).nullable().default(null),
  ...readingFields,
})

/** An average of the weights over updates, which is evaluated and saved in place of the last ones. */
const average = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('swa'),
    /** The share of all updates before the first weights enter. */
    start: z.number().min(0).lt(1).default(0.75),
    every: z.union([z.literal('epoch'), z.number().int().positive()]).default('epoch'),
  }),
  z.strictObject({ name: z.literal('ema'), decay: z.number().gt(0).lt(1).default(0.999) }),
])

const train = z.strictObject({
  batchSize: z.number().int().positive().default(32),
  epochs: z.number().positive().default(3),
  /** Updates; instead of epochs. */
  steps: z.number().int().positive().nullable().default(null),
  /** Null: the method's own default. */
  learningRate: z.number().nonnegative().nullable().default(null),
  schedule: z.enum(['constant', 'linear', 'cosine']).default('linear'),
  warmupRatio: z.number().min(0).max(1).default(0.06),
  warmupSteps: z.number().int().nonnegative().nullable().default(null),
  weightDecay: z.number().nonnegative().default(0),
  decay: z.enum(['all', 'weights']).default('all'),
  betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.999]),
  epsilon: z.number().positive().default(1e-8),
  maxGradNorm: z.number().positive().nullable().default(1),
  accumulate: z.number().int().positive().default(1),
  seed: z.number().int().nonnegative().default(1),
  /** A run for each of these seeds in place of `seed`. */
  seeds: z
    .array(z.number().int().nonnegative())
    .min(2)
    .refine((seeds) => new Set(seeds).size === seeds.length, 'each seed must be there once')
    .nullable()
    .default(null),
  shuffle: z.boolean().default(true),
  /** Rows of like length in one batch. */
  groupByLength: z.boolean().default(false),
  dropout: z.number().min(0).lt(1).nullable().default(null),
  /** `end`: once, after the last update, so that nothing is chosen by it. */
  evalEvery: z.union([z.enum(['epoch', 'end']), z.number().int().positive()]).default('epoch'),
  evalBatchSize: z.number().int().positive().default(64),
  /** The metric whose best evaluation is kept; null: the first of the texts that are written, else the task's own. */
  keepBest: z.string().min(1).nullable().default(null),
  /** Evaluations without a better one before training stops. */
  patience: z.number().int().positive().nullable().default(null),
  checkpointEvery: z.number().int().positive().default(50),
  keepCheckpoints: z.number().int().positive().default(2),
  labelSmoothing: z.number().min(0).lt(1).default(0),
  classWeights: z.array(z.number().nonnegative()).min(1).nullable().default(null),
  average: average.nullable().default(null),
  trainAlso: z.array(z.string().min(1)).default([]),
  threads: z.number().int().positive().nullable().default(null),
})

const scoreName = z.string().superRefine((name, { addIssue }) => {
  const message = textMetricFault(name)
  if (message !== null) addIssue({ code: 'custom', message })
})

/** Texts that the model writes at each evaluation; options that are left out are the model's, as for `adatune generate`. */
const generate = z.strictObject({
  /** How they are compared with the rows' references: metrics of texts, or single scores of them. */
  metric: z.union([scoreName, z.array(scoreName).min(1)]),
  /** So many of the evaluation rows, the first; null: all. Of the test rows it is always all. */
  rows: z.number().int().positive().nullable().default(null),
  ...givenOptions.shape,
})
export type GenerateSettings = z.infer<typeof generate>

/** A run as a file describes it. Every default is filled in by parsing. */
export const runConfig = z.strictObject({
  model: z.string().min(1),
  /** How the frozen weights take part in products while the run lasts; what is saved does not depend on it. */
  base: z.enum(bases).default('float32'),
  /** A kind, a name, the path of a task file, or what such a file holds. */
  task: z.union([z.enum(knownTasks), z.string().regex(taskFilePath, { abort: true }), taskFile]),
  method: methodOptions.default(methodOptions.parse({ name: 'lora' })),
  adapter: z.string().min(1).nullable().default(null),
  data,
  train: train.default(train.parse({})),
  generate: generate.nullable().default(null),
  out: z.string().min(1).nullable().default(null),
  /** What a paper says of runs like this one; nothing is trained by it. */
  published: published.nullable().default(null),
})
export type RunConfig = z.infer<typeof runConfig>
/** What a user writes: everything with a default may be left out. */
export type RunSettings = z.input<typeof runConfig>
