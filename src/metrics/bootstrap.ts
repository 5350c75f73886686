/** Ends of an interval. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** The value below which `share` of the sorted values lie, between two of them in proportion. */
function percentile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const [a, b] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!]
  return a + (b - a) * (at - below)
}

/** The middle of some values that holds the share `level` of them. */
export function interval(values: readonly number[], level: number): Interval {
  const sorted = Float64Array.from(values).sort()
  return { low: percentile(sorted, (1 - level) / 2), high: percentile(sorted, (1 + level) / 2) }
}

/**
 * The two-sided p-value of differences drawn again: twice the share of them on the rarer side of 0, the observed one counted with them
 * (Davison and Hinkley, "Bootstrap methods and their application", 1997, ch. 4). It is small where the interval leaves 0 out.
 */
export function twoSided(differences: readonly number[]): number {
  const side = (of: (value: number) => boolean): number => 1 + differences.filter(of).length
  const rarer = Math.min(
    side((value) => value <= 0),
    side((value) => value >= 0),
  )
  return Math.min(1, (2 * rarer) / (differences.length + 1))
}

/**
 * Percentile bootstrap intervals of scores (Efron and Tibshirani, "An introduction to the bootstrap", 1993, ch. 13; Koehn, "Statistical
 * significance tests for machine translation evaluation", 2004, for scores of corpora). `terms` [examples][terms]; `score` names the scores
 * of their sums over examples, [terms]; for a mean of examples a row is `[1, value]`. `below(n)` draws an integer in [0, n): each of the
 * `resamples` corpora takes as many examples as there are, with replacement. `level` is the share of them that an interval holds.
 * RangeError without examples or resamples, or for a level outside (0, 1).
 */
export function bootstrap(
  terms: readonly ArrayLike<number>[],
  score: (sums: readonly number[]) => Readonly<Record<string, number>>,
  { below, resamples = 1000, level = 0.95 }: { below: (n: number) => number; resamples?: number; level?: number },
): Record<string, Interval> {
  if (terms.length === 0) throw new RangeError('bootstrap: no examples; expected at least one')
  if (!Number.isInteger(resamples) || resamples < 1) throw new RangeError(`bootstrap: ${resamples} resamples; expected 1 or more`)
  if (!(level > 0 && level < 1)) throw new RangeError(`bootstrap: level ${level}; expected a share between 0 and 1, as 0.95`)
  const drawn = Array.from({ length: resamples }, () => {
    const sums = Array<number>(terms[0]!.length).fill(0)
    for (let i = 0; i < terms.length; i++) {
      const row = terms[below(terms.length)]!
      for (let t = 0; t < sums.length; t++) sums[t]! += row[t]!
    }
    return score(sums)
  })
  const names = Object.keys(drawn[0]!)
  return Object.fromEntries(
    names.map((name) => [
      name,
      interval(
        drawn.map((scores) => scores[name]!),
        level,
      ),
    ]),
  )
}
