import type { Value } from '../graph/graph.ts'
import { abs, add, mul, sub } from '../graph/ops/elementwise.ts'

export interface ScoreSettings {
  readonly beta1: number
  readonly beta2: number
}

/** An element-wise score of weights: the statistics it keeps and how one update changes them. */
export interface Score {
  readonly buffers: readonly string[]
  /** `parameter` is the weight after the update, `gradient` the clipped one before it; all of one shape. */
  update(
    parameter: Value,
    gradient: Value,
    buffers: Readonly<Record<string, Value>>,
    settings: ScoreSettings,
  ): Readonly<Record<string, Value>>
  /** The score from the statistics. */
  score(buffers: Readonly<Record<string, Value>>): Value
}

/** `β x + (1 - β) y` */
const smooth = (beta: number, x: Value, y: Value): Value => add(mul(x, beta), mul(y, 1 - beta))

/**
 * The paper's importance (Zhang et al. 2023, eqs. 8 to 10): sensitivity `|w g|`, smoothed, times its smoothed deviation from the
 * smoothed value. No bias correction; the deviation is from the new average.
 */
export const importance: Score = {
  buffers: ['sensitivity', 'uncertainty'],
  update(parameter, gradient, { sensitivity, uncertainty }, { beta1, beta2 }) {
    const now = abs(mul(parameter, gradient))
    const average = smooth(beta1, sensitivity!, now)
    return { sensitivity: average, uncertainty: smooth(beta2, uncertainty!, abs(sub(now, average))) }
  },
  score: ({ sensitivity, uncertainty }) => mul(sensitivity!, uncertainty!),
}
