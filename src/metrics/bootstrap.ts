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
  const interval = (name: string): Interval => {
    const sorted = Float64Array.from(drawn, (scores) => scores[name]!).sort()
    return { low: percentile(sorted, (1 - level) / 2), high: percentile(sorted, (1 + level) / 2) }
  }
  return Object.fromEntries(Object.keys(drawn[0]!).map((name) => [name, interval(name)]))
}
