import { abs, mul, sub } from '../../graph/ops/elementwise.ts'
import { sumOfMeans } from '../components.ts'
import type { Score } from './score.ts'
import { change, smooth } from './sensitivity.ts'

/**
 * The paper's importance (Zhang et al. 2023, eqs. 8 to 10): sensitivity `|w g|`, smoothed, times its smoothed deviation from the
 * smoothed value. No bias correction; the deviation is from the new average.
 */
export const importance: Score = {
  statistics: ['sensitivity', 'uncertainty'],
  update(parameter, gradient, old, { beta1, beta2 }) {
    const now = change(parameter, gradient)
    const average = smooth(beta1, old.sensitivity!, now)
    return { sensitivity: average, uncertainty: smooth(beta2, old.uncertainty!, abs(sub(now, average))) }
  },
  score: ({ components, statistics }) =>
    sumOfMeans(components, (role) => mul(statistics[role]!.sensitivity!, statistics[role]!.uncertainty!)),
}
