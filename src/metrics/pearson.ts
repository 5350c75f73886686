import { correlation } from './correlation.ts'

/** Linear correlation of [rows] predictions and labels, in [-1, 1]; 0 where either is constant, NaN where a value is. */
export function pearson(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  return correlation(predictions, labels, 'sampleCorrelation')
}
