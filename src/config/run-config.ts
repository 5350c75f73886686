import { z } from 'zod'
import { readingFields } from '../data/reading.ts'
import { givenOptions } from '../generate/options.ts'
import { bases } from '../lowering/bases.ts'
import { methodOptions } from '../methods/index.ts'
import { textMetricFault } from '../metrics/text/index.ts'
import { deviceChoices } from '../onnx/devices.ts'
import { knownTasks, taskFilePath } from '../tasks/named-tasks.ts'
import { taskFile } from '../tasks/task-file.ts'
import { published } from './published.ts'

const path = z.string().min(1)

/** A file, or several with names, which have scores of their own besides their mean. */
const rowFiles = z.union([
  path,
  z
    .record(path, path)
    .refine((files) => new Set(Object.values(files)).size === Object.keys(files).length, 'each file must be there once')
    .refine((files) => Object.keys(files).length > 0, 'at least one file must be named'),
])

const part = z.union([z.number().int().positive(), z.tuple([z.number().int().nonnegative(), z.number().int().positive()])])

const data = z.strictObject({
  train: path.describe('training rows'),
  eval: rowFiles
    .nullable()
    .default(null)
    .describe('rows of evaluations; of several files by name each is scored, and their mean stands under the usual names'),
  test: rowFiles.nullable().default(null).describe('rows that are scored once, at the end, by what the run keeps; several likewise'),
  rows: z
    .strictObject({
      train: part.optional().describe('of the training file'),
      eval: part.optional().describe('of each evaluation file'),
      test: part.optional().describe('of each test file'),
    })
    .nullable()
    .default(null)
    .describe('of each of these files the first so many rows, or those from one number up to another, as [200, 1000]; null: all'),
  shots: z.number().int().positive().nullable().default(null).describe('so many training rows of each class, drawn by the seed; null: all'),
  evalShots: z.number().int().positive().nullable().default(null).describe('as many others of each class, in place of `eval`'),
  seedColumn: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("a column of seeds: rows of other seeds than the run's are left out, in files that have it"),
  labels: z
    .array(z.string())
    .min(1)
    .nullable()
    .default(null)
    .describe("class names in order; null: the task's, else the model's, else what the training rows have"),
  ...readingFields,
})

/** An average of the weights over updates, which is evaluated and saved in place of the last ones. */
const average = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('swa').describe('which one: the mean of the weights at the end of epochs, or one in which old weights fade'),
    start: z.number().min(0).lt(1).default(0.75).describe('of `swa`: the share of all updates before the first weights enter'),
    every: z
      .union([z.literal('epoch'), z.number().int().positive()])
      .default('epoch')
      .describe('of `swa`: when weights enter; a number counts updates. The last ones always do'),
  }),
  z.strictObject({
    name: z.literal('ema'),
    decay: z.number().gt(0).lt(1).default(0.999).describe('of `ema`: each update makes it `decay · average + (1 - decay) · weights`'),
  }),
])

const train = z.strictObject({
  batchSize: z.number().int().positive().default(32).describe('rows of a micro-batch'),
  epochs: z.number().positive().default(3).describe('passes over the training rows'),
  steps: z.number().int().positive().nullable().default(null).describe('updates, in place of epochs'),
  learningRate: z.number().nonnegative().nullable().default(null).describe("null: the method's own default"),
  schedule: z
    .enum(['constant', 'linear', 'cosine'])
    .default('linear')
    .describe('the learning rate after the warm-up; the last two fall to 0'),
  warmupRatio: z.number().min(0).max(1).default(0.06).describe('the share of all updates in which the rate rises from 0'),
  warmupSteps: z.number().int().nonnegative().nullable().default(null).describe('their number, in place of the share'),
  weightDecay: z.number().nonnegative().default(0).describe("AdamW's, times the learning rate"),
  decay: z.enum(['all', 'weights']).default('all').describe('what decays; `weights` spares biases and norms'),
  betas: z
    .tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)])
    .default([0.9, 0.999])
    .describe("of Adam's two moments"),
  epsilon: z.number().positive().default(1e-8).describe("added to the root of Adam's second moment"),
  maxGradNorm: z.number().positive().nullable().default(1).describe('the norm that gradients are cut to, all together; null: no clipping'),
  accumulate: z.number().int().positive().default(1).describe('micro-batches of an update'),
  tokensAtOnce: z
    .union([z.number().int().positive(), z.literal('auto')])
    .nullable()
    .default('auto')
    .describe(
      'micro-batches with more tokens are computed in chunks of about so many, which makes the same update in less memory; null: whole; auto: 1024 where that spares much',
    ),
  seed: z.number().int().nonnegative().default(1).describe('of everything that chance decides'),
  seeds: z
    .array(z.number().int().nonnegative())
    .min(2)
    .refine((seeds) => new Set(seeds).size === seeds.length, 'each seed must be there once')
    .nullable()
    .default(null)
    .describe('a run for each of them in place of `seed`, with mean and deviation'),
  shuffle: z.boolean().default(true).describe('another order of rows in each epoch'),
  groupByLength: z.boolean().default(false).describe('rows of like length in one batch, which saves attention over padding'),
  dropout: z.number().min(0).lt(1).nullable().default(null).describe("null: the model's own"),
  evalEvery: z
    .union([z.enum(['epoch', 'end']), z.number().int().positive()])
    .default('epoch')
    .describe('when to evaluate: after each epoch, so many updates, or the last update alone, so that nothing is chosen by it'),
  evalBatchSize: z.number().int().positive().default(64).describe('rows at a time in evaluations'),
  keepBest: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("the metric that decides which evaluation is kept; null: the first of `generate.metric`, else the task's own"),
  patience: z
    .number()
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe('evaluations without a better one before training stops; null: it does not'),
  checkpointEvery: z.number().int().positive().default(50).describe('updates between two checkpoints'),
  keepCheckpoints: z.number().int().positive().default(2).describe('checkpoints that stay on disk'),
  labelSmoothing: z.number().min(0).lt(1).default(0).describe('the share of a label that is spread over all classes'),
  classWeights: z
    .array(z.number().nonnegative())
    .min(1)
    .nullable()
    .default(null)
    .describe('what the rows of each class count in the loss, in the order of the classes'),
  average: average
    .nullable()
    .default(null)
    .describe('an average of the weights that is evaluated and saved in place of the last ones; it begins anew where ranks change'),
  trainAlso: z.array(z.string().min(1)).default([]).describe('modules of the model that are trained besides, such as `pooler`'),
  threads: z.number().int().positive().nullable().default(null).describe('of ONNX Runtime; null: one for each physical core'),
  device: z
    .enum(deviceChoices)
    .default('cpu')
    .describe('where the run computes; auto: the fastest device that is there, as the run tells when it starts'),
  recompute: z
    .union([z.enum(['none', 'auto']), z.templateLiteral(['every-', z.number().int().positive()])])
    .default('auto')
    .describe(
      'so many layers at a time are made again in the backward pass in place of being kept, as in `every-1`; auto: where `memoryLimit` needs it',
    ),
  memoryLimit: z
    .string()
    .regex(/^\d+(\.\d+)?[MG]B$/, 'must be a size such as 500MB or 2GB')
    .nullable()
    .default(null)
    .describe('of the process, such as `2GB`; `tokensAtOnce` and `recompute` are fitted to it'),
  cachePrefix: z
    .union([z.boolean(), z.literal('auto')])
    .default('auto')
    .describe(
      'whether what comes before all that is trained or random is computed once for each row; auto: where it is worth it and fits in 256 MB',
    ),
  packed: z
    .boolean()
    .default(false)
    .describe('frozen matrices as the products read them, a copy for each direction: faster, for more memory'),
})

const scoreName = z.string().superRefine((name, { addIssue }) => {
  const message = textMetricFault(name)
  if (message !== null) addIssue({ code: 'custom', message })
})

/** Texts that the model writes at each evaluation; options that are left out are the model's, as for `adatune generate`. */
const generate = z.strictObject({
  metric: z
    .union([scoreName, z.array(scoreName).min(1)])
    .describe("how they are compared with the rows' references: metrics of texts, or single scores of them"),
  rows: z
    .number()
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe('so many of the evaluation rows, the first; null: all. Of the test rows it is always all'),
  ...givenOptions.shape,
})
export type GenerateSettings = z.infer<typeof generate>

/** A run as a file describes it. Every default is filled in by parsing. */
export const runConfig = z.strictObject({
  model: z.string().min(1).describe('a folder, or a name on the Hugging Face hub'),
  base: z
    .enum(bases)
    .default('float32')
    .describe('how frozen weights take part in products while the run lasts; what is saved does not depend on it'),
  task: z
    .union([z.enum(knownTasks), z.string().regex(taskFilePath, { abort: true }), taskFile])
    .describe('a kind of task, a name such as glue/rte, the path of a task file, or what such a file holds'),
  method: methodOptions.default(methodOptions.parse({ name: 'lora' })).describe('what is trained, by name, and its own settings'),
  adapter: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('start from this saved adapter, the `experts.safetensors` of a mixture, or a checkpoint of another run'),
  data: data.describe('rows, and how they are read'),
  train: train.default(train.parse({})).describe('how long, how fast, and what is kept'),
  generate: generate.nullable().default(null).describe('texts that the model writes at each evaluation'),
  out: z.string().min(1).nullable().default(null).describe("the run's folder"),
  published: published.nullable().default(null).describe('what a paper says of runs like this one; nothing is trained by it'),
})
export type RunConfig = z.infer<typeof runConfig>
/** What a user writes: everything with a default may be left out. */
export type RunSettings = z.input<typeof runConfig>
