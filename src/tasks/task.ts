import type { Example, Label } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import type { Head } from '../heads/head.ts'
import type { Stream } from '../random/draws.ts'
import type { Answer } from './answer.ts'
import type { Distributions } from './distributions.ts'

/** The classes of a task by index; empty for tasks without classes. */
export type LabelNames = readonly string[]

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
  label(row: Row, column: string, names: LabelNames): Label
  /** How logits are distributions; null where they are numbers. */
  readonly distributions: Distributions | null
  /** Metrics over examples with labels, `loss` among them: the task's own, without any penalty. */
  metrics(logits: readonly Float32Array[], examples: readonly Example[], names: LabelNames): Record<string, number>
  /** The answer for one example as plain JSON. */
  answer(logits: Float32Array, names: LabelNames): Answer
  /** A label for one example, drawn from what the model holds likely; absent where there is no such way. */
  draw?(logits: Float32Array, names: LabelNames, draws: Stream): Label
  /** The logits of one example as plain JSON. */
  raw(logits: Float32Array, names: LabelNames): Answer
}

/** Metrics that get better as they fall. */
export const isLowerBetter = (metric: string): boolean => metric === 'loss'
