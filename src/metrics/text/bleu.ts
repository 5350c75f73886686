import { mtevalWords } from './mteval-words.ts'
import { largestCounts, nGramCounts, overlap } from './n-grams.ts'
import type { TextMetric } from './text-metric.ts'

const ORDERS = [1, 2, 3, 4]

/** The length nearest to that of the answer, the shorter of equals. */
const nearestLength = (length: number, lengths: readonly number[]): number =>
  lengths.reduce((best, other) => {
    const closer = Math.abs(other - length) - Math.abs(best - length)
    return closer < 0 || (closer === 0 && other < best) ? other : best
  })

/** Terms: words of the answer, words of the nearest reference, hits of each order, n-grams of each order. */
function termsOf(hypothesis: readonly string[], references: readonly (readonly string[])[]): number[] {
  const hits = ORDERS.map((n) => overlap(nGramCounts(hypothesis, n), largestCounts(references.map((words) => nGramCounts(words, n)))))
  const reference = nearestLength(
    hypothesis.length,
    references.map((words) => words.length),
  )
  return [hypothesis.length, reference, ...hits, ...ORDERS.map((n) => Math.max(0, hypothesis.length - n + 1))]
}

/** In 0..100. The k-th order without a hit counts as 1/2^k hits (mteval's smoothing, `exp` in sacrebleu); 0 without any hit. */
function bleuOf([length, reference, ...counts]: readonly number[]): number {
  const [hits, totals] = [counts.slice(0, ORDERS.length), counts.slice(ORDERS.length)]
  if (hits.every((count) => count === 0) || totals.includes(0)) return 0
  let smallest = 1
  const logs = hits.map((count, i) => {
    if (count === 0) smallest /= 2
    return Math.log((count || smallest) / totals[i]!)
  })
  const brevity = Math.min(0, 1 - reference! / length!)
  return 100 * Math.exp(brevity + logs.reduce((sum, log) => sum + log, 0) / ORDERS.length)
}

const bleuUnder = (name: string, written: (text: string) => string): TextMetric => ({
  names: [name],
  terms: (hypotheses, references) => {
    const words = (text: string) => mtevalWords(written(text))
    return hypotheses.map((hypothesis, i) => termsOf(words(hypothesis), references[i]!.map(words)))
  },
  score: (sums) => ({ [name]: bleuOf(sums) }),
})

/**
 * BLEU of a corpus (Papineni et al., "BLEU: a method for automatic evaluation of machine translation", 2002) in 0..100, up to four words,
 * with the words of mteval-v13a, the brevity penalty by the nearest reference, and mteval's smoothing: sacrebleu 2.6's default. 0 where
 * no answer has four words.
 */
export const bleu = bleuUnder('bleu', (text) => text)

/**
 * BLEU (Papineni et al. 2002) of texts in lower case, sacrebleu's `lowercase`. That of the E2E challenge's scorer (mteval's, in 0..1 there)
 * but that it folds only ASCII letters.
 */
export const bleuLowercase = bleuUnder('bleuLowercase', (text) => text.toLowerCase())
