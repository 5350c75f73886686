import type { Value } from '../../graph/graph.ts'
import { abs, add, mul } from '../../graph/ops/elementwise.ts'
import { sumOfMeans } from '../components.ts'
import type { Score } from './score.ts'

/** `β x + (1 - β) y` */
export const smooth = (beta: number, x: Value, y: Value): Value => add(mul(x, beta), mul(y, 1 - beta))

/** How much the loss would change without a weight, to first order: `|w g|` (Zhang et al. 2023, eq. 8). */
export const change = (parameter: Value, gradient: Value): Value => abs(mul(parameter, gradient))

/** The smoothed sensitivity alone (the row "s = I" of Zhang et al. 2023, Table 4). No bias correction. */
export const sensitivity: Score = {
  statistics: ['sensitivity'],
  update: (parameter, gradient, old, { beta1 }) => ({ sensitivity: smooth(beta1, old.sensitivity!, change(parameter, gradient)) }),
  score: ({ components, statistics }) => sumOfMeans(components, (role) => statistics[role]!.sensitivity!),
}
