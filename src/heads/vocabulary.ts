import type { Example } from '../data/examples.ts'
import type { Batch } from '../data/pack.ts'
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

/** A token of a row that is asked for a word, and the word that is right; null where nobody knows. */
export interface Asked {
  readonly place: number
  readonly target: number | null
}

/** What a row is asked. */
export type Asks = (example: Example) => readonly Asked[]

/** What the head tells of each place: the log-probability of the target, then the likeliest word and its log-probability. */
export const TOLD = 3

/**
 * Words by cross-entropy over the vocabulary. Only the tokens that are asked meet the vocabulary, and of what it says there `TOLD` numbers
 * leave the graph: whole rows of logits would fill the memory. `stream` is the part of the batch in whose rows the places are counted.
 */
export function vocabularyHead(wiring: Head['wiring'], asks: Asks, stream: (batch: Batch) => Batch = (batch) => batch): Head {
  const places = (examples: readonly Example[], batch: Batch) =>
    placesOf(examples, stream(batch), (example) => asks(example).map(({ place }) => place))
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
    loss: (_network, logits, objective) => labelLoss(logits, 'places', objective),
    targets(examples, batch, objective) {
      const labels = targetsOf(examples, -100)
      const { feeds, ...sums } = labelTargets(labels, objective)
      return { feeds: { ...feeds, ...places(examples, batch) }, ...sums, sizes: { places: labels.length * objective.passes } }
    },
  }
}
