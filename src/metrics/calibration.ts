import { assertSameLength } from './same-length.ts'

const BINS = 15

/**
 * Expected calibration error (Guo et al. 2017): over 15 bins of equal width, (0, 1/15] to (14/15, 1], the mean distance of confidence and
 * accuracy, weighted by the bin's share of rows. `confidences` [rows] in 0..1, `hits` [rows] 1 where the prediction is right, else 0.
 */
export function calibrationError(confidences: ArrayLike<number>, hits: ArrayLike<number>): number {
  assertSameLength(confidences, hits)
  const excess = new Float64Array(BINS)
  for (let row = 0; row < hits.length; row++) {
    const bin = Math.min(Math.max(Math.ceil(confidences[row]! * BINS), 1), BINS) - 1
    excess[bin]! += confidences[row]! - hits[row]!
  }
  return excess.reduce((sum, value) => sum + Math.abs(value), 0) / hits.length
}
