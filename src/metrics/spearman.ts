import { sampleRankCorrelation } from 'simple-statistics'
import { correlation } from './correlation.ts'

/** Rank correlation of [rows] predictions and labels, average ranks for ties, in [-1, 1]; 0 where either is constant, NaN where a value is. */
export function spearman(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  return correlation(predictions, labels, sampleRankCorrelation)
}
