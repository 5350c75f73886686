import type { Example } from '../data/examples.ts'
import type { Batch } from '../data/pack.ts'
import type { Value } from '../graph/graph.ts'
import type { Consistency } from '../nn/consistency.ts'
import type { HeadKind } from '../nn/head-kind.ts'
import type { Stretch } from '../nn/layer-segments.ts'
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
  /** How many equal parts of what a head looks at are answered one after another, where it can do that; 1 by default. */
  readonly parts?: number
}

/** Sums over the targets of a micro-batch or chunk, divided by the whole step's divisors. */
export interface LossTerms {
  readonly task: Value
  readonly consistency: Value | null
}

/** Host-side targets of a micro-batch or chunk. */
export interface Targets {
  readonly feeds: Readonly<Record<string, { readonly data: Float32Array | Int32Array; readonly shape: readonly number[] }>>
  /** What the task loss is divided by: the sum of the targets' weights. */
  readonly weight: number
  /** The number of targets that count. */
  readonly count: number
  /** Sizes of its feeds that the batch does not tell. */
  readonly sizes?: Readonly<Record<string, number>>
}

/** A kind of task: its loss in the graph and its targets on the host. */
export interface Head {
  readonly wiring: HeadKind
  /** Whether its weights must come with the model: made anew it would know nothing. */
  readonly pretrained?: boolean
  /** The number of outputs for so many labels, or words of the vocabulary. */
  outputs(labels: number, vocabulary: number): number
  /** The words that the head answers for, where its wiring answers for the whole vocabulary. */
  readonly words?: readonly number[]
  /** What of the hidden states `[tokens, hidden]` the head looks at, of the decoder where there is one; all by default. Declares the inputs that `inputs` feeds. */
  view?(network: Network, hidden: Value): Value
  /** What the logits need besides the batch; `examples` are those of one copy of it. */
  inputs?(examples: readonly Example[], batch: Batch): Targets['feeds']
  /** What leaves the graph as the model's answer, `[n, numbers]`; by default the logits. */
  told?(network: Network, logits: Value): Value
  /** The rows of its answer that belong to an example. */
  answers(example: Example): number
  /** Adds the loss of `logits`, declaring the inputs that `targets` feeds. */
  loss(network: Network, logits: Value, objective: Objective): LossTerms
  /**
   * The loss of what is seen, `[n, hidden]`, whose logits would fill the memory: made in `objective.parts` parts, each of nodes that follow
   * each other. Declares the same inputs.
   */
  lossInParts?(seen: Value, logitsOf: (part: Value) => Value, objective: Objective): PartedLoss
  targets(examples: readonly Example[], batch: Batch, objective: Objective): Targets
}

export interface PartedLoss extends LossTerms {
  readonly stretches: readonly Stretch[]
}

/** The head with its logits at every token, for heads that look at some; the others as they are. */
export function everywhere(head: Head): Head {
  if (!head.view) return head
  const { view: _view, inputs: _inputs, told: _told, ...rest } = head
  return { ...rest, answers: ({ ids, decoder }) => (decoder?.ids ?? ids).length }
}
