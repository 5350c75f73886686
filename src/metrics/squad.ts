import { onceEach } from './once-each.ts'

const whitespace = /\p{White_Space}+/u
const punctuation = /[!-/:-@[-`{-~]/g
/** Words as Python's `\b` sees them. */
const articles = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu

const words = (text: string): string[] =>
  text
    .toLowerCase()
    .replace(punctuation, '')
    .replace(articles, ' ')
    .split(whitespace)
    .filter((word) => word !== '')

/** An answer without case, ASCII punctuation, articles and surplus whitespace, as SQuAD's official scripts, 1.1 and 2.0, compare them. */
export const normalizedAnswer = (text: string): string => words(text).join(' ')

/** What an answer is compared with, by the script of 2.0: the right ones that are not empty once normalized, else the empty one. */
function comparable(answers: readonly string[]): readonly string[] {
  const found = answers.filter((answer) => normalizedAnswer(answer) !== '')
  return found.length > 0 ? found : ['']
}

/** 1 where the prediction is one of the right answers after normalization, else 0; none of them: no answer is right. */
export function exactMatch(prediction: string, answers: readonly string[]): number {
  const given = normalizedAnswer(prediction)
  return comparable(answers).some((answer) => normalizedAnswer(answer) === given) ? 1 : 0
}

/** F1 of two bags of words, by the script of 2.0: 1 where both are empty, 0 where one is. */
export function bagF1<Word>(prediction: readonly Word[], answer: readonly Word[]): number {
  if (prediction.length === 0 || answer.length === 0) return prediction.length === answer.length ? 1 : 0
  const left = new Map<Word, number>()
  for (const word of answer) left.set(word, (left.get(word) ?? 0) + 1)
  let same = 0
  for (const word of prediction) {
    const count = left.get(word) ?? 0
    if (count > 0) same++
    left.set(word, count - 1)
  }
  if (same === 0) return 0
  const [precision, recall] = [same / prediction.length, same / answer.length]
  return (2 * precision * recall) / (precision + recall)
}

/** The best F1 of words with one of the right answers; none of them: no answer is right. */
export function answerF1(prediction: string, answers: readonly string[]): number {
  const given = words(prediction)
  return Math.max(...comparable(answers).map((answer) => bagF1(given, words(answer))))
}

/** A question's right answers, none where it has no answer, and what a model says. */
export interface SquadRow {
  readonly answers: readonly string[]
  /** The best answer in the model's words, whether or not it prefers none. */
  readonly prediction: string
  /** How far the model prefers no answer: above a threshold, none is its prediction. */
  readonly nullOdds: number
}

const scoresOf = onceEach(({ prediction, answers }: SquadRow) => ({
  exact: exactMatch(prediction, answers),
  f1: answerF1(prediction, answers),
}))

const percent = (values: readonly number[]): number => (100 * values.reduce((sum, value) => sum + value, 0)) / values.length

/**
 * The threshold of `nullOdds` at which the mean of `scores` [rows] is best, in percent: questions are taken in the order of their odds,
 * from none answered to all, and the first of equals stays.
 */
function bestThreshold(rows: readonly SquadRow[], scores: readonly number[]): { score: number; threshold: number } {
  let sum = rows.filter(({ answers }) => answers.length === 0).length
  let best = { sum, threshold: 0 }
  const order = rows.map((_, i) => i).sort((a, b) => rows[a]!.nullOdds - rows[b]!.nullOdds)
  for (const i of order) {
    const { answers, prediction, nullOdds } = rows[i]!
    sum += answers.length > 0 ? scores[i]! : prediction === '' ? 0 : -1
    if (sum > best.sum) best = { sum, threshold: nullOdds }
  }
  return { score: (100 * best.sum) / rows.length, threshold: best.threshold }
}

/**
 * The figures of SQuAD's official script of 2.0, in percent, by their names: `exact` and `f1`; where some rows have no answer, both also for the
 * rows with (`HasAns_`) and without one (`NoAns_`), and at the best threshold (`best_`). No answer is predicted above `threshold`.
 */
export function squadMetrics(rows: readonly SquadRow[], threshold: number): Record<string, number> {
  const exact = rows.map((row) => scoresOf(row).exact)
  const f1 = rows.map((row) => scoresOf(row).f1)
  const decided = (scores: readonly number[]): number[] =>
    scores.map((score, i) => (rows[i]!.nullOdds > threshold ? Number(rows[i]!.answers.length === 0) : score))
  const [exactly, partly] = [decided(exact), decided(f1)]
  const figures = (prefix: string, counts: (row: SquadRow) => boolean): Record<string, number> => {
    const of = (scores: readonly number[]): number[] => scores.filter((_, i) => counts(rows[i]!))
    const total = of(exact).length
    return total === 0 ? {} : { [`${prefix}exact`]: percent(of(exactly)), [`${prefix}f1`]: percent(of(partly)), [`${prefix}total`]: total }
  }
  const all = { exact: percent(exactly), f1: percent(partly) }
  if (rows.every(({ answers }) => answers.length > 0)) return all
  const [bestExact, bestF1] = [bestThreshold(rows, exact), bestThreshold(rows, f1)]
  return {
    ...all,
    ...figures('HasAns_', ({ answers }) => answers.length > 0),
    ...figures('NoAns_', ({ answers }) => answers.length === 0),
    best_exact: bestExact.score,
    best_exact_thresh: bestExact.threshold,
    best_f1: bestF1.score,
    best_f1_thresh: bestF1.threshold,
  }
}
