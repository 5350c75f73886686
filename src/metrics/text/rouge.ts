import { commonLength, commonPlaces } from './common-subsequence.ts'
import { nGramCounts, overlap } from './n-grams.ts'
import { porterStem } from './porter-stem.ts'
import { meanMetric } from './text-metric.ts'

const NAMES = ['rouge1', 'rouge2', 'rougeL', 'rougeLsum'] as const

/** Runs of Latin letters and digits in lower case; words of more than three letters are stemmed. */
const words = (text: string): string[] =>
  (text.toLowerCase().match(/[a-z0-9]+/g) ?? []).map((word) => (word.length > 3 ? porterStem(word) : word))

/** F1 of `hits` among so many words (or pairs) of hypothesis and reference. */
const harmonic = (hits: number, hypothesis: number, reference: number): number => (hits === 0 ? 0 : (2 * hits) / (hypothesis + reference))

function byNGrams(hypothesis: readonly string[], reference: readonly string[], n: number): number {
  const hits = overlap(nGramCounts(hypothesis, n), nGramCounts(reference, n))
  return harmonic(hits, hypothesis.length - n + 1, reference.length - n + 1)
}

const sentences = (text: string): string[][] => text.split('\n').map(words)

/** Of each reference sentence count the words that lie in its common subsequence with any sentence of the answer. */
function bySentences(hypothesis: string, reference: string): number {
  const [answer, wanted] = [sentences(hypothesis), sentences(reference)]
  const [left, due] = [nGramCounts(answer.flat(), 1), nGramCounts(wanted.flat(), 1)]
  let hits = 0
  for (const sentence of wanted) {
    const union = new Set(answer.flatMap((other) => commonPlaces(sentence, other)))
    for (const place of [...union].sort((a, b) => a - b)) {
      const word = sentence[place]!
      // No word counts more often than it occurs on either side.
      if (!left.get(word) || !due.get(word)) continue
      hits++
      left.set(word, left.get(word)! - 1)
      due.set(word, due.get(word)! - 1)
    }
  }
  return harmonic(hits, answer.flat().length, wanted.flat().length)
}

function against(hypothesis: string, reference: string): Record<(typeof NAMES)[number], number> {
  const [answer, wanted] = [words(hypothesis), words(reference)]
  return {
    rouge1: byNGrams(answer, wanted, 1),
    rouge2: byNGrams(answer, wanted, 2),
    rougeL: harmonic(commonLength(answer, wanted), answer.length, wanted.length),
    rougeLsum: bySentences(hypothesis, reference),
  }
}

/**
 * ROUGE-1, -2, -L and -Lsum (Lin, "ROUGE: a package for automatic evaluation of summaries", 2004) as F1 in 0..1, with stemming, the mean
 * over examples; of several references the best counts, for each score by itself. As rouge-score 0.1.2 with `use_stemmer`: texts are
 * taken in lower case, only Latin letters and digits are words, and sentences (for Lsum) are lines.
 */
export const rouge = meanMetric(NAMES, (hypothesis, references) => {
  const each = references.map((reference) => against(hypothesis, reference))
  const best = (name: (typeof NAMES)[number]) => Math.max(...each.map((scores) => scores[name]))
  return { rouge1: best('rouge1'), rouge2: best('rouge2'), rougeL: best('rougeL'), rougeLsum: best('rougeLsum') }
})
