import { contrast } from '../compare/contrast.ts'
import { type ArmResults, reaching, type Summary } from '../compare/summary.ts'
import { signedTextOf } from '../compare/summary-tables.ts'
import { didYouMean, UserError } from '../errors.ts'
import { mean } from '../metrics/moments.ts'
import { isLowerBetter } from '../tasks/task.ts'
import { type Amount, drawn, ranging } from './amount.ts'

/** Something that is told of some arms beside others. */
export interface Quantity {
  /** `others` are as many as the arms; the means over all count. */
  readonly of: (own: readonly ArmResults[], others: readonly ArmResults[], summary: Summary) => Amount
  readonly text: (value: number, summary: Summary) => string
}

const ratio = (value: number): string => (Number.isFinite(value) ? `${Number(value.toPrecision(3))} times` : 'never')

/** A number of each trial over that of the other arm's trial of the same seed; what has none is endless. */
const ratios = (
  number: (own: ArmResults['results'][number], other: ArmResults['results'][number], metric: string) => number,
): Quantity => ({
  of: (own, others, { metric }) =>
    ranging(own[0]!.results.map((_, s) => mean(own.map(({ results }, i) => number(results[s]!, others[i]!.results[s]!, metric))))),
  text: ratio,
})

const took = (name: string): Quantity => ratios((own, other) => own.took[name]! / other.took[name]!)

/** What it took to score what the other did at its best, over what that took itself. */
const toBest = (name: 'step' | 'flops'): Quantity =>
  ratios((own, other, metric) => {
    const [there, first] = [reaching(own, other, metric), reaching(other, other, metric)]
    return there && first ? there[name] / first[name] : Number.POSITIVE_INFINITY
  })

const quantities: Readonly<Record<string, Quantity>> = {
  /** By how much the metric is better. */
  score: {
    of(own, others, { metric, by }) {
      const scores = (all: readonly ArmResults[]) => all.map(({ results }) => results.map(({ judgement }) => judgement[by]))
      const { difference, draws } = contrast(scores(own), scores(others), metric)
      const sign = isLowerBetter(metric) ? -1 : 1
      return drawn(sign * difference, draws?.map((each) => sign * each) ?? null)
    },
    text: (value, summary) => signedTextOf(summary)(value),
  },
  /** Weights at the end as a share of the model, in percent. */
  share: {
    of: (own) =>
      ranging(
        own[0]!.results.map((_, s) =>
          mean(
            own.map(({ results }) => {
              const { merged, base, head } = results[s]!.took as { merged: number; base: number; head: number }
              return (100 * merged) / (base + head)
            }),
          ),
        ),
      ),
    text: (value) => `${Number(value.toPrecision(3))} %`,
  },
  stepsToBest: toBest('step'),
  flopsToBest: toBest('flops'),
  weights: took('merged'),
  flops: took('trainFlops'),
  seconds: took('seconds'),
}

/** @throws UserError for a name that none has */
export function quantity(name: string): Quantity {
  const known = Object.keys(quantities)
  if (Object.hasOwn(quantities, name)) return quantities[name]!
  throw new UserError(`criterion: no quantity is called "${name}"; there are ${known.join(', ')}.${didYouMean(name, known)}`)
}
