import type { Item } from '../data/examples.ts'
import { mean } from '../metrics/moments.ts'
import { bagF1 } from '../metrics/squad.ts'
import type { Answer } from './answer.ts'
import { type Answered, only } from './answered.ts'
import { argmax } from './softmax.ts'
import { spanScores } from './span-scores.ts'

interface TokenSpan {
  readonly start: number
  readonly end: number
}

const likeliest = (logits: Float32Array): TokenSpan => {
  const { start, end } = spanScores(logits)
  return { start: argmax(start), end: argmax(end) }
}

/** The likeliest start and the likeliest end of an answer among a row's tokens. */
export const tokenSpanAnswer = (answered: Answered): Answer => ({ ...likeliest(only(answered).logits) })

const tokensIn = ({ start, end }: TokenSpan): number[] => Array.from({ length: Math.max(end - start + 1, 0) }, (_, i) => start + i)

/** In percent: how often both ends are right, and F1 of the tokens between them. */
export function tokenSpanMetrics(answered: readonly Answered<Item>[]): Record<string, number> {
  const pairs = answered.map(only).map(({ logits, label }) => ({ given: likeliest(logits), right: label as TokenSpan }))
  return {
    exact: 100 * mean(pairs.map(({ given, right }) => (given.start === right.start && given.end === right.end ? 1 : 0))),
    f1: 100 * mean(pairs.map(({ given, right }) => bagF1(tokensIn(given), tokensIn(right)))),
  }
}

/** The scores of a row's tokens. */
export function tokenSpanScores(answered: Answered): Answer {
  const { start, end } = spanScores(only(answered).logits)
  return { start_logits: start, end_logits: end }
}
