import { UserError } from '../errors.ts'
import { exactMatch, normalizedAnswer, wordF1 } from './answer-match.ts'
import { assertSameLength } from './same-length.ts'

/** Exact match and word F1 in percent. */
export interface SquadScores {
  readonly exactMatch: number
  readonly f1: number
}

const percent = (values: readonly number[]): number => (100 * values.reduce((sum, value) => sum + value, 0)) / values.length

/**
 * SQuAD 1.1 (Rajpurkar et al. 2016), as its official script: the best over a question's answers, the mean over questions. `predictions`
 * [questions], `answers` [questions][at least one]. UserError for a question without answers: those are SQuAD 2.0's.
 */
export function squadV1(predictions: readonly string[], answers: readonly (readonly string[])[]): SquadScores {
  assertSameLength(predictions, answers)
  const bare = answers.findIndex((texts) => texts.length === 0)
  if (bare >= 0) {
    throw new UserError(`question ${bare + 1} has no answer; SQuAD 1.1 expects one or more for each: use the scores of SQuAD 2.0`)
  }
  const best = (score: (prediction: string, answer: string) => number) =>
    percent(predictions.map((prediction, i) => Math.max(...answers[i]!.map((answer) => score(prediction, answer)))))
  // The script gives two answers without words an F1 of 0.
  return { exactMatch: best(exactMatch), f1: best((prediction, answer) => wordF1(prediction, answer, 0)) }
}

/** What a question without an answer is compared with; empty answers do not count as answers. */
function goldAnswers(answers: readonly string[]): readonly string[] {
  const full = answers.filter((answer) => normalizedAnswer(answer) !== '')
  return full.length > 0 ? full : ['']
}

/** Scores over all questions at the threshold given, over parts of them, and at the best thresholds. */
export interface SquadV2Scores extends SquadScores {
  /** Of the questions with answers, and of those without; undefined where there are none. */
  readonly answerable: SquadScores | undefined
  readonly unanswerable: SquadScores | undefined
  /** The best scores that any threshold gives, and these thresholds. */
  readonly bestExactMatch: number
  readonly bestExactMatchThreshold: number
  readonly bestF1: number
  readonly bestF1Threshold: number
}

/** One more question answered at a time, surest first; in the order given where equally sure, as the official script. */
function bestThreshold(
  scores: readonly number[],
  predictions: readonly string[],
  answerable: readonly boolean[],
  noAnswer: ArrayLike<number>,
): { score: number; threshold: number } {
  let sum = answerable.filter((has) => !has).length
  let best = { sum, threshold: 0 }
  for (const i of [...scores.keys()].sort((a, b) => noAnswer[a]! - noAnswer[b]!)) {
    sum += answerable[i] ? scores[i]! : predictions[i] === '' ? 0 : -1
    if (sum > best.sum) best = { sum, threshold: noAnswer[i]! }
  }
  return { score: (100 * best.sum) / scores.length, threshold: best.threshold }
}

/**
 * SQuAD 2.0 (Rajpurkar, Jia and Liang, "Know what you don't know: unanswerable questions for SQuAD", 2018), as its official script.
 * `predictions` [questions], empty for "no answer"; `answers` [questions][any], none for a question without an answer; `noAnswer`
 * [questions] how sure the model is that there is none. Above `threshold` a question counts as unanswered. The best threshold is never
 * below 0, so `noAnswer` should not be either.
 */
export function squadV2(
  predictions: readonly string[],
  answers: readonly (readonly string[])[],
  noAnswer: ArrayLike<number>,
  threshold: number,
): SquadV2Scores {
  assertSameLength(predictions, answers)
  assertSameLength(predictions, noAnswer)
  const answerable = answers.map((texts) => texts.length > 0)
  const raw = (score: (prediction: string, answer: string) => number) =>
    predictions.map((prediction, i) => Math.max(...goldAnswers(answers[i]!).map((answer) => score(prediction, answer))))
  const thresholded = (scores: readonly number[]) => scores.map((score, i) => (noAnswer[i]! > threshold ? Number(!answerable[i]) : score))
  const exact = raw(exactMatch)
  const f1 = raw((prediction, answer) => wordF1(prediction, answer, 1))
  const [exactAt, f1At] = [thresholded(exact), thresholded(f1)]
  const part = (has: boolean): SquadScores | undefined => {
    const of = (scores: readonly number[]) => scores.filter((_, i) => answerable[i] === has)
    return answerable.includes(has) ? { exactMatch: percent(of(exactAt)), f1: percent(of(f1At)) } : undefined
  }
  const best = (scores: readonly number[]) => bestThreshold(scores, predictions, answerable, noAnswer)
  const [bestExact, bestF1] = [best(exact), best(f1)]
  return {
    exactMatch: percent(exactAt),
    f1: percent(f1At),
    answerable: part(true),
    unanswerable: part(false),
    bestExactMatch: bestExact.score,
    bestExactMatchThreshold: bestExact.threshold,
    bestF1: bestF1.score,
    bestF1Threshold: bestF1.threshold,
  }
}
