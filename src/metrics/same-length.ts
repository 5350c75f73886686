/** RangeError unless both lists have one entry a row, and at least one row. */
export function assertSameLength(predictions: ArrayLike<unknown>, labels: ArrayLike<unknown>): void {
  if (predictions.length === labels.length && labels.length > 0) return
  throw new RangeError(`metrics: ${predictions.length} predictions for ${labels.length} labels; expected one each and at least one`)
}
