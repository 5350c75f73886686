import type { Example, Label, TextEncoder } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import type { Encoded, Tokenizer } from '../data/tokenizer.ts'
import type { Head } from '../heads/head.ts'
import type { Stream } from '../random/draws.ts'
import type { Key } from '../random/key.ts'
import type { Distributions } from './distributions.ts'

/** The classes of a task by index; empty for tasks without classes. */
export type LabelNames = readonly string[]

/** The columns of a data file that a task reads; the text's is null where the run names none. */
export interface RowColumns {
  readonly text: string | null
  readonly label: string
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

/** What a user asks of a model: how rows become labels, and logits become answers and metrics. */
export interface Task {
  readonly head: Head
  /** Whether the task has named classes. */
  readonly classes: boolean
  /** The metric by which evaluations are compared where a run names none. */
  readonly primary: string
  /** What `metrics` gives. */
  readonly metricNames: readonly string[]
  /** The classes that occur in labelled rows. */
  discover(rows: readonly Row[], column: string): LabelNames
  label(row: Row, column: string, names: LabelNames): Label | null
  /** How logits are distributions; null where they are numbers. */
  readonly distributions: Distributions | null
  /** Metrics over examples with labels, `loss` among them: the task's own, without any penalty. */
  metrics(logits: readonly Float32Array[], examples: readonly Example[], names: LabelNames): Record<string, number>
  /** The answer for one example as plain JSON. */
  answer(logits: Float32Array, names: LabelNames, example?: Example): Record<string, unknown>
  /** A label for one example, drawn from what the model holds likely; absent where there is no such way. */
  draw?(logits: Float32Array, names: LabelNames, draws: Stream): Label
  /** The task for a model and classes, where it depends on them. */
  opened?(setting: TaskSetting): Task
  /** Reads texts in place of the model's tokenizer. */
  readonly encoder?: TextEncoder
  /**
   * Reads rows of a form of the task's own; null for others. Without labels the label marks with 0 what is answered. `names` are the
   * classes, null where labels are not looked at.
   */
  read?(row: Row, columns: RowColumns, names: LabelNames | null, maxLength: number): (Encoded & { readonly label: Label }) | null
  /** Throws UserError for an example that the head cannot take. */
  check?(example: Example): void
  /** The example as it is asked under a key, where chance decides what is asked. */
  drawn?(example: Example, key: Key): Example
  /** The logits of one example as plain JSON. */
  raw(logits: Float32Array, names: LabelNames): Record<string, unknown>
}

/** Metrics that get better as they fall. */
export const isLowerBetter = (metric: string): boolean => metric === 'loss' || metric === 'perplexity'
