import { assertSameLength } from './same-length.ts'

/** Share of rows whose predicted class is the label; both lists are [rows]. */
export function accuracy(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  assertSameLength(predictions, labels)
  let right = 0
  for (let row = 0; row < labels.length; row++) if (predictions[row] === labels[row]) right++
  return right / labels.length
}
