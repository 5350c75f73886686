import type { Spans } from '../data/reading.ts'
import type { Window } from '../data/windows.ts'
import { probabilities } from './softmax.ts'
import type { SpanScores } from './span-scores.ts'

/** An answer as a stretch [start, end) of the context, in UTF-16 units. */
export interface Stretch {
  readonly start: number
  readonly end: number
}

/** What all windows of a question say together. */
export interface Finding {
  /** The best stretch; null where no window allows one. */
  readonly best: Stretch | null
  /** The probabilities of that stretch and of no answer among the best ones; the latter is 0 where there must be an answer. */
  readonly probability: number
  readonly nullProbability: number
  /** The score of no answer less that of the best one. */
  readonly nullOdds: number
}

interface Candidate {
  readonly stretch: Stretch | null
  readonly score: number
}

/** The places of the largest values, largest first; of equals the last one first. */
const largest = (values: readonly number[], count: number): number[] =>
  values
    .map((_, i) => i)
    .sort((a, b) => values[b]! - values[a]! || b - a)
    .slice(0, count)

/** Stretches that begin and end at one of the best places of a window. */
function candidates({ first, starts, ends }: Window, { start, end }: SpanScores, { nBest, maxAnswerLength }: Spans): Candidate[] {
  const [begins, stops] = [largest(start, nBest), largest(end, nBest)]
  return begins.flatMap((from) =>
    stops.flatMap((to) => {
      const inContext = from >= first && to < first + starts.length
      if (!inContext || to < from || to - from >= maxAnswerLength) return []
      const stretch = { start: starts[from - first]!, end: ends[to - first]! }
      return stretch.start < stretch.end ? [{ stretch, score: start[from]! + end[to]! }] : []
    }),
  )
}

/**
 * Finds the answer in the windows of a question, as Hugging Face's script for SQuAD does: the best sum of a start's and an end's score
 * over all windows. No answer scores what the first token does, in the window that holds least of it.
 */
export function findAnswer(windows: readonly Window[], scores: readonly SpanScores[], spans: Spans): Finding {
  const none: Candidate = { stretch: null, score: Math.min(...scores.map(({ start, end }) => start[0]! + end[0]!)) }
  const found = windows.flatMap((window, i) => candidates(window, scores[i]!, spans))
  const ranked = (spans.unanswerable ? [...found, none] : found).sort((a, b) => b.score - a.score)
  const kept = ranked.slice(0, spans.nBest)
  if (spans.unanswerable && !kept.includes(none)) kept.push(none)
  const best = kept.find(({ stretch }) => stretch !== null) ?? null
  const shares = probabilities(kept.map(({ score }) => score))
  const share = (candidate: Candidate | null): number => (candidate && shares[kept.indexOf(candidate)]) ?? 0
  return {
    best: best?.stretch ?? null,
    probability: share(best),
    nullProbability: share(none),
    nullOdds: best ? none.score - best.score : Infinity,
  }
}
