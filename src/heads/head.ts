import type { Example } from '../data/examples.ts'
import type { Batch } from '../data/pack.ts'
import type { Value } from '../graph/graph.ts'
import type { Consistency } from '../nn/consistency.ts'
import type { HeadKind } from '../nn/head-kind.ts'
import type { Network } from '../nn/network.ts'

/** How the loss is formed; the same for every micro-batch of a run. */
export interface Objective {
  /** Passes of the batch in the graph: the logits hold them one after another. */
  readonly passes: number
  /** How two passes make one loss; null with one pass. */
  readonly consistency: Consistency | null
  /** Share of the target that is spread over all classes. */
  readonly labelSmoothing: number
  readonly classWeights: readonly number[] | null
}

/** Sums over the micro-batch's targets, divided by the whole step's divisors. */
export interface LossTerms {
  readonly task: Value
  readonly consistency: Value | null
}

/** Host-side targets of a micro-batch. */
export interface Targets {
  readonly feeds: Readonly<Record<string, { readonly data: Float32Array | Int32Array; readonly shape: readonly number[] }>>
  /** What the task loss is divided by: the sum of the targets' weights. */
  readonly weight: number
  /** The number of targets that count. */
  readonly count: number
  /** Named sizes of the graph that the targets fix. */
  readonly sizes?: Readonly<Record<string, number>>
}

/** A kind of task: its loss in the graph and its targets on the host. */
export interface Head {
  readonly wiring: HeadKind
  /** The number of outputs for so many labels. */
  outputs(labels: number): number
  /** The hidden states `[n, hidden]` that logits are made for in training; all of them where left out. */
  chosen?(network: Network, hidden: Value): Value
  /** Adds the loss of `logits`, declaring the inputs that `targets` feeds. */
  loss(network: Network, logits: Value, objective: Objective): LossTerms
  targets(examples: readonly Example[], batch: Batch, objective: Objective): Targets
}
