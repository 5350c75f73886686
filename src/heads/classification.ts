import { part } from '../graph/dim.ts'
import { type Graph, input, type Value } from '../graph/graph.ts'
import { symmetricDivergence } from './consistency.ts'
import { crossEntropy, targetDistribution } from './cross-entropy.ts'
import type { Head, LossTerms, Objective, Targets } from './head.ts'
import { overPasses } from './passes.ts'

/** Integer labels, and 1 for those that count, `[n]` both. */
export interface Labels {
  readonly labels: Value
  readonly counts: Value
}

/** Declares the labels of one pass, of as many rows as a named size has in all passes. */
export function declareLabels(graph: Graph, size: 'rows' | 'tokens' | 'places', { passes }: Objective): Labels {
  const lane = [part(size, passes)]
  return { labels: input(graph, 'labels', 'int32', lane), counts: input(graph, 'counts', graph.float, lane) }
}

/** Cross-entropy of integer labels on `[n * passes, classes]` logits. */
export function labelLoss(logits: Value, { labels, counts }: Labels, objective: Objective): LossTerms {
  const target = targetDistribution(labels, logits.shape[1] as number, objective)
  return overPasses(
    logits,
    objective,
    (pass) => crossEntropy(pass, target, counts),
    (first, second, { form }) => symmetricDivergence(first, second, counts, form),
  )
}

/** The feeds of integer labels; a negative label (-100 by custom) is ignored. */
export function labelTargets(labels: readonly number[], { classWeights }: Objective): Targets {
  const data = Int32Array.from(labels, (label) => Math.max(label, 0))
  const counts = Float32Array.from(labels, (label) => (label < 0 ? 0 : 1))
  const count = counts.reduce((sum, one) => sum + one, 0)
  const weight = classWeights ? labels.reduce((sum, label) => sum + (label < 0 ? 0 : classWeights[label]!), 0) : count
  const shape = [labels.length]
  return { feeds: { labels: { data, shape }, counts: { data: counts, shape } }, weight, count }
}

/** One class for each row. */
export const classification: Head = {
  wiring: 'sequence-classification',
  outputs: (labels) => labels,
  answers: () => 1,
  loss: (_network, logits, objective) => labelLoss(logits, declareLabels(logits.graph, 'rows', objective), objective),
  targets: (examples, _batch, objective) =>
    labelTargets(
      examples.map(({ label }) => label as number),
      objective,
    ),
}
