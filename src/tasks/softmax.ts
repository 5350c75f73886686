import type { Stream } from '../random/draws.ts'

/** The largest value, of as many as there may be. */
function most(values: ArrayLike<number>): number {
  let largest = -Infinity
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]!)
  return largest
}

/** Softmax probabilities of logits, in doubles. */
export function probabilities(logits: ArrayLike<number>): number[] {
  const top = most(logits)
  const powers = Array.from(logits, (value) => Math.exp(value - top))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}

/** A class, drawn with the probabilities of its logits. */
export function drawClass(logits: ArrayLike<number>, { uniform }: Stream): number {
  const classes = probabilities(logits)
  let left = uniform()
  const drawn = classes.findIndex((probability) => {
    left -= probability
    return left < 0
  })
  return drawn < 0 ? argmax(classes) : drawn
}

/** `log Σ exp`, in doubles. */
export function logSumExp(logits: ArrayLike<number>): number {
  const top = most(logits)
  let sum = 0
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - top)
  return top + Math.log(sum)
}

/** The cross-entropy of one target, in doubles. */
export const negativeLogLikelihood = (logits: ArrayLike<number>, target: number): number => logSumExp(logits) - logits[target]!

/** The index of the largest value; the first of equals. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}
