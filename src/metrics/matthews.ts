import { classCounts } from './class-counts.ts'

/** Matthews correlation for any number of classes (Gorodkin 2004), in [-1, 1]; 0 where undefined, as when one class is always predicted. */
export function matthews(predictions: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number {
  const { predicted, labelled, both } = classCounts(predictions, labels, classes)
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, c) => sum + value * b[c]!, 0)
  const rows = labels.length
  const right = both.reduce((sum, value) => sum + value, 0)
  const spread = (rows ** 2 - dot(predicted, predicted)) * (rows ** 2 - dot(labelled, labelled))
  return spread === 0 ? 0 : (right * rows - dot(predicted, labelled)) / Math.sqrt(spread)
}
