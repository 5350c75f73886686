import type { Example } from '../data/examples.ts'
import type { Batch } from '../data/pack.ts'
import { input, type Value } from '../graph/graph.ts'
import { addAll, mul } from '../graph/ops/elementwise.ts'
import { oneHot } from '../graph/ops/indexing.ts'
import { concat, split } from '../graph/ops/movement.ts'
import { logSoftmax } from '../graph/ops/normalize.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { largest } from '../graph/ops/sorting.ts'
import type { Stretch } from '../nn/layer-segments.ts'
import { declareLabels, type Labels, labelLoss, labelTargets } from './classification.ts'
import type { Head, LossTerms, Objective, PartedLoss } from './head.ts'
import { inEqualParts, placesOf, seenAt } from './places.ts'

/** A token of a row that is asked for a word, and the word that is right; null where nobody knows. */
export interface Asked {
  readonly place: number
  readonly target: number | null
}

/** What a row is asked. */
export type Asks = (example: Example) => readonly Asked[]

/** What the head tells of each place: the log-probability of the target, then the likeliest word and its log-probability. */
export const TOLD = 3

/** A loss over equal parts of what is seen and of its labels, of every pass; the terms are sums, so that those of the parts add up. */
function lossInParts(
  seen: Value,
  { labels, counts }: Labels,
  { passes, parts = 1 }: Objective,
  loss: (part: Value, labels: Labels) => LossTerms,
): PartedLoss {
  const { graph } = seen
  const lanes = split(seen, 0, passes).map((lane) => split(lane, 0, parts))
  const [label, count] = [split(labels, 0, parts), split(counts, 0, parts)]
  const stretches: Stretch[] = []
  const terms = Array.from({ length: parts }, (_, i) => {
    const start = graph.nodes.length
    const own = lanes.map((lane) => lane[i]!)
    const made = loss(concat(own, 0), { labels: label[i]!, counts: count[i]! })
    stretches.push({ start, end: graph.nodes.length })
    return made
  })
  const consistencies = terms.flatMap(({ consistency }) => consistency ?? [])
  return {
    task: addAll(terms.map(({ task }) => task)),
    consistency: consistencies.length > 0 ? addAll(consistencies) : null,
    stretches,
  }
}

/**
 * Words by cross-entropy over the vocabulary. Only the tokens that are asked meet the vocabulary, and of what it says there `TOLD` numbers
 * leave the graph: whole rows of logits would fill the memory. `stream` is the part of the batch in whose rows the places are counted.
 */
export function vocabularyHead(wiring: Head['wiring'], asks: Asks, stream: (batch: Batch) => Batch = (batch) => batch): Head {
  const places = (examples: readonly Example[], batch: Batch, parts = 1) =>
    placesOf(examples, stream(batch), (example) => asks(example).map(({ place }) => place), parts)
  const targetsOf = (examples: readonly Example[], none: number): number[] => {
    const found = examples.flatMap((example) => asks(example).map(({ target }) => target ?? none))
    return found.length > 0 ? found : [none]
  }
  return {
    wiring,
    outputs: (_labels, vocabulary) => vocabulary,
    answers: (example) => asks(example).length,
    view: (network, hidden) => seenAt(network, hidden, 'places'),
    inputs(examples, batch) {
      const targets = targetsOf(examples, 0)
      return { ...places(examples, batch), targets: { data: Int32Array.from(targets), shape: [targets.length] } }
    },
    told({ graph }, logits) {
      const logs = logSoftmax(logits)
      const target = oneHot(input(graph, 'targets', 'int32', ['places']), logits.shape[1] as number)
      const { value, place } = largest(logs)
      return concat([reduceSum(mul(logs, target), { axes: [-1], keep: true }), place, value], 1)
    },
    loss: (_network, logits, objective) => labelLoss(logits, declareLabels(logits.graph, 'places', objective), objective),
    lossInParts: (seen, logitsOf, objective) =>
      lossInParts(seen, declareLabels(seen.graph, 'places', objective), objective, (part, labels) =>
        labelLoss(logitsOf(part), labels, objective),
      ),
    targets(examples, batch, objective) {
      const found = targetsOf(examples, -100)
      // Places that fill the last part have no label.
      const labels = inEqualParts(found, objective.parts ?? 1, () => -100)
      const { feeds, ...sums } = labelTargets(labels, objective)
      return {
        feeds: { ...feeds, ...places(examples, batch, objective.parts) },
        ...sums,
        sizes: { places: labels.length * objective.passes },
      }
    },
  }
}
