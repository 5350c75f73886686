import { z } from 'zod'
import { parseTemplate } from '../data/template.ts'
import { didYouMean, UserError } from '../errors.ts'
import { type TaskName, taskNames } from '../heads/index.ts'
import { tasks } from './index.ts'
import type { Prompt } from './task.ts'

const columns = z.strictObject({
  text: z.string().min(1).describe('the column of the text'),
  pair: z.string().min(1).nullable().default(null).describe('of the second text'),
  label: z.string().min(1).default('label').describe('of the label'),
  choices: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(2)])
    .optional()
    .describe('of multiple choice: a list, or a column for each choice'),
})

/** What is wrong with the task, in a sentence; null where nothing is. */
function fault({ kind, metrics, template, labels, labelWords }: Fields): string | null {
  const known = tasks[kind].metricNames
  const metric = metrics?.find((name) => !known.includes(name))
  if (metric !== undefined) return `${kind} has no metric "${metric}"; it has ${known.join(', ')}.${didYouMean(metric, known)}`
  if (labels && !tasks[kind].classes) return `${kind} has no classes, so it takes no "labels".`
  const prompts = kind === 'prompt-classification'
  if (!prompts)
    return template === null && labelWords === null ? null : 'a "template" and "labelWords" are of the kind prompt-classification.'
  if (template === null || labelWords === null)
    return 'prompt-classification needs a "template" and "labelWords": give a task file with both.'
  try {
    parseTemplate(template)
    return null
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
}

const fields = z.strictObject({
  kind: z.enum(taskNames).describe('what is answered, and by which head'),
  columns: z
    .union([columns, z.array(columns).min(1)])
    .nullable()
    .default(null)
    .describe('columns of the data files, or several such: the first that the rows have. Null: guessed from the names'),
  labels: z.array(z.string()).min(1).nullable().default(null).describe('names of the classes by number'),
  metrics: z
    .array(z.string())
    .min(1)
    .nullable()
    .default(null)
    .describe('what evaluations tell besides the loss; by the first, they are compared. Null: all that the kind has'),
  template: z.string().min(1).nullable().default(null).describe('of prompt-classification: literal words with {text}, {pair} and {mask}'),
  labelWords: z
    .record(z.string(), z.string().min(1))
    .nullable()
    .default(null)
    .describe('of prompt-classification: the word that stands for each label'),
})
type Fields = z.output<typeof fields>

/** A task as a file describes it. */
export const taskFile = fields.superRefine((task, { addIssue }) => {
  const message = fault(task)
  if (message !== null) addIssue({ code: 'custom', message })
})
export type TaskFile = z.output<typeof taskFile>

/** A task of a kind alone. */
export const plainTask = (kind: TaskName): TaskFile => ({ ...fields.parse({ kind }) })

/** How rows of the task are put to a masked language model; null where they are not. */
export const promptOf = ({ template, labelWords }: TaskFile): Prompt | null =>
  template !== null && labelWords !== null ? { template, labelWords } : null

/** The classes of a task whose labels have words; null for others. */
export const wordLabels = ({ labels, labelWords }: TaskFile): readonly string[] | null =>
  labelWords === null ? null : (labels ?? Object.keys(labelWords))
