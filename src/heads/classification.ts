import { part } from '../graph/dim.ts'
import type { Value } from '../graph/graph.ts'
import { input } from '../graph/graph.ts'
import { symmetricDivergence } from './consistency.ts'
import { crossEntropy, targetDistribution } from './cross-entropy.ts'
import type { Head, LossTerms, Objective, Targets } from './head.ts'
import { overPasses } from './passes.ts'

/** Cross-entropy of integer labels on `[n, classes]` logits; `n` is a named size of one pass times the passes. */
export function labelLoss(logits: Value, size: 'rows' | 'tokens' | 'places', objective: Objective): LossTerms {
  const { graph } = logits
  const lane = [part(size, objective.passes)]
  const labels = input(graph, 'labels', 'int32', lane)
  const counts = input(graph, 'counts', graph.float, lane)
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
  loss: (_network, logits, objective) => labelLoss(logits, 'rows', objective),
  targets: (examples, _batch, objective) =>
    labelTargets(
      examples.map(({ label }) => label as number),
      objective,
    ),
}
