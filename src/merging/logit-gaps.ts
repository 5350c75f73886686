/** How far logits are from those expected, without signs. */
export interface LogitGaps {
  /** Counts a row of logits; one of another length than expected is infinitely far. */
  add(given: ArrayLike<number>, expected: ArrayLike<number>): void
  readonly mean: number
  readonly largest: number
  /** The largest logit expected, without its sign. */
  readonly most: number
}

/** Counts gaps row by row: the logits of a vocabulary fill the memory, and are too many for the arguments of one call. */
export function logitGaps(): LogitGaps {
  let [count, sum, largest, most] = [0, 0, 0, 0]
  return {
    add(given, expected) {
      if (given.length !== expected.length) largest = Infinity
      for (let i = 0; i < expected.length; i++) {
        const gap = Math.abs(given[i]! - expected[i]!)
        count++
        sum += gap
        largest = Math.max(largest, gap)
        most = Math.max(most, Math.abs(expected[i]!))
      }
    },
    get mean() {
      return sum / count
    },
    get largest() {
      return largest
    },
    get most() {
      return most
    },
  }
}
