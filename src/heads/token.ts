import { declareLabels, labelLoss, labelTargets } from './classification.ts'
import type { Head } from './head.ts'

/** One class for each token. */
export const token: Head = {
  wiring: 'token-classification',
  outputs: (labels) => labels,
  answers: ({ ids }) => ids.length,
  loss: (_network, logits, objective) => labelLoss(logits, declareLabels(logits.graph, 'tokens', objective), objective),
  targets: (examples, _batch, objective) =>
    labelTargets(
      examples.flatMap(({ label }) => [...(label as readonly number[])]),
      objective,
    ),
}
