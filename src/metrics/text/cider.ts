import { captionWords } from './caption-words.ts'
import { nGramCounts } from './n-grams.ts'
import type { References, TextMetric } from './text-metric.ts'

const ORDERS = [1, 2, 3, 4]

/** Of the penalty for a difference in length. */
const SIGMA = 6

type Counts = readonly Map<string, number>[]

const countsOf = (text: string): Counts => ORDERS.map((n) => nGramCounts(captionWords(text), n))

/** The log of examples over those whose references hold the n-gram, or over 1 for a new one. */
function inverseFrequencies(references: readonly (readonly Counts[])[]): (gram: string) => number {
  const examples = new Map<string, number>()
  for (const texts of references) {
    const grams = new Set(texts.flatMap((counts) => counts.flatMap((map) => [...map.keys()])))
    for (const gram of grams) examples.set(gram, (examples.get(gram) ?? 0) + 1)
  }
  return (gram) => Math.log(references.length) - Math.log(examples.get(gram) ?? 1)
}

const weighed = (counts: Counts, rarity: (gram: string) => number): Counts =>
  counts.map((map) => new Map([...map].map(([gram, count]) => [gram, count * rarity(gram)])))

const norm = (vector: Map<string, number>): number => Math.hypot(...vector.values())

const total = (map: Map<string, number>): number => [...map.values()].reduce((sum, count) => sum + count, 0)

/** The mean over orders of cosines whose product is clipped to the reference's weights (CIDEr-D). */
function similarity(hypothesis: Counts, reference: Counts): number {
  const cosines = hypothesis.map((vector, n) => {
    const wanted = reference[n]!
    const product = [...vector].reduce((sum, [gram, weight]) => sum + Math.min(weight, wanted.get(gram) ?? 0) * (wanted.get(gram) ?? 0), 0)
    return product === 0 ? 0 : product / (norm(vector) * norm(wanted))
  })
  return cosines.reduce((sum, cosine) => sum + cosine, 0) / ORDERS.length
}

/** Lengths are counted in pairs of words, as the reference implementation does. */
const lengthPenalty = (hypothesis: Counts, reference: Counts): number =>
  Math.exp(-((total(hypothesis[1]!) - total(reference[1]!)) ** 2) / (2 * SIGMA ** 2))

function termsOf(hypotheses: readonly string[], references: References): number[][] {
  const wanted = references.map((texts) => texts.map(countsOf))
  const rarity = inverseFrequencies(wanted)
  return hypotheses.map((hypothesis, i) => {
    const answer = countsOf(hypothesis)
    const vector = weighed(answer, rarity)
    const scores = wanted[i]!.map((counts) => similarity(vector, weighed(counts, rarity)) * lengthPenalty(answer, counts))
    return [1, (10 * scores.reduce((sum, score) => sum + score, 0)) / scores.length]
  })
}

/**
 * CIDEr of a corpus, 0 to 10, the mean over examples and their references (Vedantam, Zitnick and Parikh, "CIDEr: consensus-based image
 * description evaluation", 2015): what pycocoevalcap and the E2E challenge's scorer call CIDEr, which is the paper's CIDEr-D with plain
 * words: weights clipped, a penalty for differences in length, up to four words. Words are rare or frequent by the references of the whole
 * corpus, also where a corpus is resampled; in a corpus of one example every word is frequent and the score 0.
 */
export const cider: TextMetric = { names: ['cider'], terms: termsOf, score: ([examples, sum]) => ({ cider: sum! / examples! }) }
