import { assertSameLength } from './same-length.ts'

/** Of each class, how many rows were predicted, labelled, and both. */
export interface ClassCounts {
  readonly predicted: Float64Array
  readonly labelled: Float64Array
  readonly both: Float64Array
}

/** Counts over [rows] predictions and labels in 0 .. classes-1; RangeError for any other class. */
export function classCounts(predictions: ArrayLike<number>, labels: ArrayLike<number>, classes: number): ClassCounts {
  assertSameLength(predictions, labels)
  const [predicted, labelled, both] = [new Float64Array(classes), new Float64Array(classes), new Float64Array(classes)]
  for (let row = 0; row < labels.length; row++) {
    const [prediction, label] = [predictions[row]!, labels[row]!]
    if (!(prediction in predicted) || !(label in labelled)) {
      throw new RangeError(`metrics: row ${row} has prediction ${prediction} and label ${label}; expected classes 0 to ${classes - 1}`)
    }
    predicted[prediction]!++
    labelled[label]!++
    if (prediction === label) both[label]!++
  }
  return { predicted, labelled, both }
}
