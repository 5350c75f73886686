import { mtevalWords } from './mteval-words.ts'
import { porterStem } from './porter-stem.ts'
import { meanMetric } from './text-metric.ts'

const [ALPHA, BETA, GAMMA] = [0.9, 3, 0.5]

type Placed = readonly [place: number, word: string]
type Match = readonly [hypothesis: number, reference: number]

/** Matches equal words, each place once, from the last to the first; what stays unmatched is returned, too. */
function match(hypothesis: readonly Placed[], reference: readonly Placed[]): { matches: Match[]; rest: [Placed[], Placed[]] } {
  const places = new Map<string, number[]>()
  for (const [place, word] of reference) places.set(word, [...(places.get(word) ?? []), place])
  const matches: Match[] = []
  for (const [place, word] of hypothesis.toReversed()) {
    const other = places.get(word)?.pop()
    if (other !== undefined) matches.push([place, other])
  }
  const [used, taken] = [new Set(matches.map(([i]) => i)), new Set(matches.map(([, j]) => j))]
  return { matches, rest: [hypothesis.filter(([i]) => !used.has(i)), reference.filter(([j]) => !taken.has(j))] }
}

const stems = (words: readonly Placed[]): Placed[] => words.map(([place, word]) => [place, porterStem(word)])

function score(hypothesis: readonly string[], reference: readonly string[]): number {
  const exact = match([...hypothesis.entries()], [...reference.entries()])
  const stemmed = match(stems(exact.rest[0]), stems(exact.rest[1]))
  const matches = [...exact.matches, ...stemmed.matches].sort(([a], [b]) => a - b)
  if (matches.length === 0) return 0
  const chunks = matches.filter(([i, j], k) => k === 0 || matches[k - 1]![0] !== i - 1 || matches[k - 1]![1] !== j - 1).length
  const [precision, recall] = [matches.length / hypothesis.length, matches.length / reference.length]
  const mean = (precision * recall) / (ALPHA * precision + (1 - ALPHA) * recall)
  return mean * (1 - GAMMA * (chunks / matches.length) ** BETA)
}

/**
 * METEOR by exact words and stems alone, in 0..1, the mean over examples, with the best of several references (Lavie and Agarwal,
 * "METEOR: an automatic metric for MT evaluation with high levels of correlation with human judgments", 2007). As NLTK 3.10's
 * `meteor_score` without WordNet, on mteval's words in lower case. Numbers of METEOR 1.5, which papers report for E2E, WebNLG and DART,
 * also match synonyms and paraphrases, under other weights: they are higher and not to be compared with these.
 */
export const meteorExactStem = meanMetric(['meteorExactStem'], (hypothesis, references) => {
  const words = (text: string) => mtevalWords(text).map((word) => word.toLowerCase())
  return { meteorExactStem: Math.max(...references.map((reference) => score(words(hypothesis), words(reference)))) }
})
