import { nGramCounts, overlap } from './n-grams.ts'
import type { TextMetric } from './text-metric.ts'

const ORDERS = [1, 2, 3, 4, 5, 6]

/** Recall weighs beta squared times as much as precision. */
const BETA = 2

/** Characters but white space. */
const characters = (text: string): string[] => [...text.replace(/\s+/g, '')]

/** For each order: n-grams of the answer, of the reference, and hits; the answer's count only where the reference has any. */
function termsOf(hypothesis: readonly string[], reference: readonly string[]): number[] {
  return ORDERS.flatMap((n) => {
    const wanted = Math.max(0, reference.length - n + 1)
    const given = wanted > 0 ? Math.max(0, hypothesis.length - n + 1) : 0
    return [given, wanted, overlap(nGramCounts(hypothesis, n), nGramCounts(reference, n))]
  })
}

/** In 0..100: precision and recall are means over the orders that both sides have. */
function chrfOf(sums: readonly number[]): number {
  const orders = ORDERS.map((_, i) => sums.slice(3 * i, 3 * i + 3)).filter(([given, wanted]) => given! > 0 && wanted! > 0)
  const precision = orders.reduce((sum, [given, , hits]) => sum + hits! / given!, 0) / orders.length
  const recall = orders.reduce((sum, [, wanted, hits]) => sum + hits! / wanted!, 0) / orders.length
  return precision + recall > 0 ? (100 * (1 + BETA ** 2) * precision * recall) / (BETA ** 2 * precision + recall) : 0
}

/**
 * chrF of a corpus (Popović, "chrF: character n-gram F-score for automatic MT evaluation", 2015) in 0..100: up to six characters, no words,
 * beta 2, sacrebleu 2.6's default. Of several references the best of each example counts, the first of equals.
 */
export const chrf: TextMetric = {
  names: ['chrf'],
  terms: (hypotheses, references) =>
    hypotheses.map((hypothesis, i) =>
      references[i]!.map((reference) => termsOf(characters(hypothesis), characters(reference))).reduce((best, other) =>
        chrfOf(other) > chrfOf(best) ? other : best,
      ),
    ),
  score: (sums) => ({ chrf: chrfOf(sums) }),
}
