import type { Example } from '../data/examples.ts'
import { input } from '../graph/graph.ts'
import { mul } from '../graph/ops/elementwise.ts'
import { oneHot } from '../graph/ops/indexing.ts'
import { concat } from '../graph/ops/movement.ts'
import { logSoftmax } from '../graph/ops/normalize.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { largest } from '../graph/ops/sorting.ts'
import { labelLoss, labelTargets } from './classification.ts'
import type { Head } from './head.ts'
import { placesOf, seenAt } from './places.ts'

/** Where a row is asked for words: where it has labels that count, and without labels where it has masks. */
function asked({ ids, label }: Example, mask: () => number | null): number[] {
  const labels = label as readonly number[] | null
  const hidden = labels ? -1 : mask()
  return [...ids.keys()].filter((i) => (labels ? labels[i]! >= 0 : ids[i] === hidden))
}

/** What the head tells of each place: the log-probability of the label, then the likeliest word and its log-probability. */
export const TOLD = 3

/**
 * The words that are hidden, by cross-entropy over the vocabulary. Only places that are asked for meet the vocabulary, and of what it says
 * there `TOLD` numbers are kept: whole rows of logits would fill the memory. `mask` is the mask token's id.
 */
export const maskedLm = (mask: () => number | null): Head => ({
  wiring: 'masked-lm',
  outputs: (_labels, vocabulary) => vocabulary,
  answers: (example) => asked(example, mask).length,
  view: (network, hidden) => seenAt(network, hidden, 'places'),
  inputs(examples, batch) {
    const places = placesOf(examples, batch, (example) => asked(example, mask))
    const targets = examples.flatMap((example) => asked(example, mask).map((i) => (example.label as readonly number[] | null)?.[i] ?? 0))
    return { ...places, targets: { data: Int32Array.from(targets), shape: [targets.length] } }
  },
  told({ graph }, logits) {
    const logs = logSoftmax(logits)
    const right = reduceSum(mul(logs, oneHot(input(graph, 'targets', 'int32', ['places']), logits.shape[1] as number)), {
      axes: [-1],
      keep: true,
    })
    const { value, place } = largest(logs)
    return concat([right, place, value], 1)
  },
  loss: (_network, logits, objective) => labelLoss(logits, 'places', objective),
  targets(examples, batch, objective) {
    const places = placesOf(examples, batch, (example) => asked(example, mask))
    const labels = examples.flatMap(({ label }) => (label as readonly number[]).filter((word) => word >= 0))
    const { feeds, ...sums } = labelTargets(labels, objective)
    return { feeds: { ...feeds, ...places }, ...sums, sizes: { places: labels.length * (batch.rows / examples.length) } }
  },
})
