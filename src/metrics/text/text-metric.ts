/** Of each example one or more texts that an answer is compared with: [examples][references]. */
export type References = readonly (readonly string[])[]

/** A score of a corpus that needs only sums over its examples: so one pass over the texts serves every resampled corpus, too. */
export interface TextMetric {
  /** Of its scores. */
  readonly names: readonly string[]
  /** The terms of the sums, [examples][terms]; `references` has as many examples as `hypotheses`, each at least one reference. */
  readonly terms: (hypotheses: readonly string[], references: References) => number[][]
  /** Scores by name, of sums over examples, [terms]. */
  readonly score: (sums: readonly number[]) => Record<string, number>
}

/** The metric that is a mean over examples; `each` gives the named scores of one. */
export function meanMetric<Name extends string>(
  names: readonly Name[],
  each: (hypothesis: string, references: readonly string[]) => Readonly<Record<Name, number>>,
): TextMetric {
  return {
    names,
    terms: (hypotheses, references) =>
      hypotheses.map((hypothesis, i) => {
        const scores = each(hypothesis, references[i]!)
        return [1, ...names.map((name) => scores[name])]
      }),
    score: ([examples, ...sums]) => Object.fromEntries(names.map((name, i) => [name, sums[i]! / examples!])),
  }
}
