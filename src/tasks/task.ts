import type { Example, Item, Label } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import type { Reading } from '../data/reading.ts'
import type { DecoderStart } from '../data/teacher-forced.ts'
import type { Limits } from '../data/token-row.ts'
import type { Tokenizer } from '../data/tokenizer.ts'
import { UserError } from '../errors.ts'
import type { Head } from '../heads/head.ts'
import type { Stream } from '../random/draws.ts'
import type { Key } from '../random/key.ts'
import type { Answer } from './answer.ts'
import type { Answered } from './answered.ts'
import type { Distributions } from './distributions.ts'
import { metricOf } from './metric-name.ts'

/** The classes of a task by index; empty for tasks without classes. */
export type LabelNames = readonly string[]

/** What turns rows into items: how they are read, and what the model takes in. */
export interface Source extends Limits {
  readonly reading: Reading
  /** Called at the first row that has text. */
  readonly tokenizer: () => Tokenizer
  /** Whether rows must have labels; else they are not looked at: test sets carry -1 and the like. */
  readonly labelled: boolean
  /** Of models that write a second text, whose tokens the label gives. */
  readonly decoder?: DecoderStart
  /** The token that ends a text; null where the model names none. */
  readonly end: number | null
}

/** How rows are put to a masked language model, and which word stands for each class. */
export interface Prompt {
  readonly template: string
  readonly labelWords: Readonly<Record<string, string>>
}

/** What a task may depend on besides its kind. */
export interface TaskSetting {
  readonly labels: LabelNames
  readonly prompt: Prompt | null
  readonly vocabularySize: number
  /** The model's; loaded when it is first asked for. */
  readonly tokenizer: () => Tokenizer
}

/**
 * What a user asks of a model: how a row becomes the examples that the model is asked, and their logits one answer. `Own` is what the
 * task keeps of a row besides.
 */
export interface Task<Own extends Item = Item> {
  readonly head: Head
  /** Whether the task has named classes. */
  readonly classes: boolean
  /** Whether what is right is a word of the vocabulary. */
  readonly overWords?: boolean
  /** Whether a model can be asked to write the words itself. */
  readonly writes?: boolean
  /** The metric by which evaluations are compared where a run names none. */
  readonly primary: string
  /** Whether its shares are in percent, as SQuAD's scripts print them, and not between 0 and 1. */
  readonly percent?: boolean
  /** What `metrics` can give. */
  readonly metricNames: readonly string[]
  /** Columns that may hold the label where a run names none; the first that is there. */
  readonly labelColumns: readonly string[]
  /** Tokens of an example where a run does not say. */
  readonly maxLength: number
  /** The classes that occur in labelled rows. */
  discover(rows: readonly Row[], column: string): LabelNames
  /** The class of a row that `column` tells; absent where rows have no class each. */
  classOf?(row: Row, column: string, names: LabelNames): number
  /** The task for a model and classes, where it depends on them. */
  opened?(setting: TaskSetting): Task<Own>
  /** A reading with the choices made that are left to the training rows. */
  settle?(rows: readonly Row[], reading: Reading): Reading
  /** A reading with the choices made that are left to the evaluation rows, from the metrics that were best on them. */
  learn?(metrics: Readonly<Record<string, number>>, reading: Reading): Reading
  /** One item for each row, in order; UserError with file and line for the first row that does not fit. */
  read(rows: readonly Row[], source: Source, names: LabelNames): Own[]
  /** The example as it is asked under a key, where chance decides what is asked. */
  drawn?(example: Example, key: Key): Example
  /** How an example's logits are distributions; null where they are numbers. */
  readonly distributions: Distributions | null
  /** Metrics over items with labels, `loss` among them: the task's own, without any penalty. */
  metrics(answered: readonly Answered<Own>[], names: LabelNames): Record<string, number>
  /** The answer to one item as plain JSON. */
  answer(answered: Answered<Own>, names: LabelNames): Answer
  /** A label for one example, drawn from what the model holds likely; absent where there is no such way. */
  draw?(logits: Float32Array, names: LabelNames, draws: Stream): Label
  /** The logits of one item as plain JSON. */
  raw(answered: Answered<Own>, names: LabelNames): Answer
}

/** A metric by its name; UserError where these rows do not give it, such as figures of unanswerable questions where there are none. */
export function metricIn(metrics: Readonly<Record<string, number>>, name: string): number {
  const value = metrics[name]
  if (value !== undefined) return value
  throw new UserError(`These rows give no metric "${name}", only ${Object.keys(metrics).join(', ')}; choose one of them.`)
}

const falling = ['loss', 'perplexity', 'ter', 'calibrationError']

/** Whether a metric, by its full name, gets better as it falls. */
export const isLowerBetter = (name: string): boolean => falling.includes(metricOf(name))
