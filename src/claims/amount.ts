import { type Interval, interval } from '../metrics/bootstrap.ts'
import { median } from '../metrics/moments.ts'

/** A number that a claim is judged by, with what is known of its error. */
export interface Amount {
  readonly value: number
  /** Where it lies with a probability; null where that is not known. */
  readonly within: (level: number) => Interval | null
}

/** Of a number that does not vary. */
export const exactly = (value: number): Amount => ({ value, within: () => ({ low: value, high: value }) })

/** Of a number that was drawn again many times; null where it was not. */
export const drawn = (value: number, draws: readonly number[] | null): Amount => ({
  value,
  within: (level) => draws && interval(draws, level),
})

/** Of a number for each seed: the middle one, between the smallest and the largest. */
export function ranging(values: readonly number[]): Amount {
  const range = { low: Math.min(...values), high: Math.max(...values) }
  return { value: median(values), within: () => range }
}

/** What a number must be. */
export interface Bound {
  readonly atLeast?: number | undefined
  readonly atMost?: number | undefined
}

export const outcomes = ['holds', 'does not hold', 'cannot be told'] as const
export type Outcome = (typeof outcomes)[number]

/** How far a number is on the right side of a bound; below 0 where it is not. */
export const slack = (value: number, { atLeast, atMost }: Bound): number => (atLeast === undefined ? atMost! - value : value - atLeast)

/**
 * Whether a number keeps a bound, which is one of so many that must all be kept: it does where its whole interval does, and does not where
 * none of an interval does that is as much wider as their number asks (Bonferroni).
 */
export function outcomeOf({ within }: Amount, bound: Bound, level: number, among: number): Outcome {
  const [own, wider] = [within(level), within(1 - (1 - level) / among)]
  if (own === null || wider === null) return 'cannot be told'
  const ends = (found: Interval): number[] => [found.low, found.high].map((end) => slack(end, bound))
  if (ends(own).every((each) => each >= 0)) return 'holds'
  return ends(wider).every((each) => each < 0) ? 'does not hold' : 'cannot be told'
}

/** Of what must all be true. */
export function together(all: readonly Outcome[]): Outcome {
  if (all.includes('does not hold')) return 'does not hold'
  return all.every((each) => each === 'holds') ? 'holds' : 'cannot be told'
}
