import { onDemand } from '../on-demand.ts'
import { assertSameLength } from './same-length.ts'

const statistics = (): typeof import('simple-statistics') => onDemand('simple-statistics')

/** A measure of [rows] predictions and labels, kept in [-1, 1]; 0 where either list is constant, NaN where it holds a NaN. */
export function correlation(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
  measure: 'sampleCorrelation' | 'sampleRankCorrelation',
): number {
  assertSameLength(predictions, labels)
  const [x, y] = [Array.from(predictions), Array.from(labels)]
  if (x.some(Number.isNaN) || y.some(Number.isNaN)) return NaN
  const constant = (values: number[]) => values.every((value) => value === values[0])
  return constant(x) || constant(y) ? 0 : Math.max(-1, Math.min(1, statistics()[measure](x, y)))
}
