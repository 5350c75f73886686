import { mtevalWords } from './mteval-words.ts'
import { largestCounts, nGramCounts, overlap } from './n-grams.ts'
import type { References, TextMetric } from './text-metric.ts'

const ORDERS = [1, 2, 3, 4, 5]

/** At two thirds of the references' length the penalty is a half. */
const BETA = Math.log(0.5) / Math.log(1.5) ** 2

/** mteval folds the case of ASCII letters alone. */
const words = (text: string): string[] => mtevalWords(text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()))

/** The information of an n-gram's last word after the others, in bits, by counts over all references (Doddington's eq. 2). */
function information(references: References): (gram: string) => number {
  const texts = references.flat().map(words)
  const total = texts.reduce((sum, text) => sum + text.length, 0)
  const counts = new Map<string, number>()
  for (const text of texts) for (const n of ORDERS) nGramCounts(text, n, counts)
  return (gram) => {
    const before = gram.slice(0, Math.max(0, gram.lastIndexOf(' ')))
    // mteval, in Perl, takes the word "0" for none.
    const whole = before === '' || before === '0' ? total : counts.get(before)!
    return Math.log2(whole / counts.get(gram)!)
  }
}

/** Terms: words of the references, how many references are not empty, 1, information of the hits of each order, n-grams of each order. */
function termsOf(hypothesis: readonly string[], references: readonly (readonly string[])[], bits: (gram: string) => number): number[] {
  const hits = ORDERS.map((n) => overlap(nGramCounts(hypothesis, n), largestCounts(references.map((text) => nGramCounts(text, n))), bits))
  const full = references.filter((text) => text.length > 0)
  const length = full.reduce((sum, text) => sum + text.length, 0)
  return [length, full.length, 1, ...hits, ...ORDERS.map((n) => Math.max(0, hypothesis.length - n + 1))]
}

function nistOf([length, full, examples, ...counts]: readonly number[]): number {
  const [bits, totals] = [counts.slice(0, ORDERS.length), counts.slice(ORDERS.length)]
  const ratio = totals[0]! / (length! / (full! / examples!))
  if (!(ratio > 0)) return 0
  const penalty = ratio >= 1 ? 1 : Math.exp(BETA * Math.log(ratio) ** 2)
  return penalty * bits.reduce((sum, value, i) => sum + value / Math.max(totals[i]!, 1), 0)
}

/**
 * NIST of a corpus up to five words (Doddington, "Automatic evaluation of machine translation quality using n-gram co-occurrence
 * statistics", 2002), at least 0: the E2E challenge's mteval-v13a, which counts empty references out of the mean length. ASCII letters
 * are taken in lower case. Information is that of all references given, also where a corpus is resampled.
 */
export const nist: TextMetric = {
  names: ['nist'],
  terms: (hypotheses, references) => {
    const bits = information(references)
    return hypotheses.map((hypothesis, i) => termsOf(words(hypothesis), references[i]!.map(words), bits))
  },
  score: (sums) => ({ nist: nistOf(sums) }),
}
