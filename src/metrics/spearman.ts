import { correlation } from './correlation.ts'

/** Correlation of the ranks, averaged over ties, of [rows] predictions and labels; 0 where either is constant, NaN where a value is. */
export function spearman(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  return correlation(predictions, labels, 'sampleRankCorrelation')
}
