import type { ForwardCosts } from '../evaluate/inspection.ts'
import type { MergeGap } from '../evaluate/merge-gap.ts'
import type { WeightCounts } from '../evaluate/weight-counts.ts'
import type { Evaluation } from './loop.ts'

/** Numbers by the names of metrics; those on the test rows as `test accuracy`. */
export type Numbers = Readonly<Record<string, number>>

/** What several seeds came to. */
export interface SeedsSummary {
  readonly bySeed: readonly { readonly seed: number; readonly metrics: Numbers }[]
  readonly mean: Numbers
  /** Of a sample: over the number of seeds less one. */
  readonly deviation: Numbers
}

/** What a finished or stopped run tells. */
export interface RunSummary {
  readonly out: string
  /** False where the run was stopped; it can be resumed. */
  readonly finished: boolean
  /** The evaluation whose state the adapter holds; null where it holds the last step. */
  readonly kept: Evaluation | null
  readonly weights: WeightCounts
  /** For rows of the training data's mean length. */
  readonly forwardFlops: ForwardCosts
  /** The kept evaluation's, then what the run took; empty where it was stopped. */
  readonly metrics: Readonly<Record<string, number>>
  /** What is kept scores so on the test rows. */
  readonly test?: Readonly<Record<string, number>>
  /** What merging the experts of a mixture did to its answers. */
  readonly merge?: MergeGap
  /** Of a run over several seeds, whose last the other fields describe. */
  readonly seeds?: SeedsSummary
}
