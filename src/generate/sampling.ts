import type { GenerationOptions } from './options.ts'
import { largest, normalise } from './scores.ts'

/** Leaves the scores of tokens that may be drawn, and makes the others `-Infinity`: temperature, the k likeliest, the nucleus (Holtzman et al. 2020). */
export function narrowed(scores: Float32Array, { temperature, topK, topP }: GenerationOptions): Float32Array {
  const kept = scores.map((score) => score / temperature)
  if (topK > 0) {
    const least = largest(kept, topK).at(-1)!.score
    kept.forEach((score, i) => {
      if (score < least) kept[i] = -Infinity
    })
  }
  if (topP === 1) return kept
  normalise(kept)
  const order = Array.from(kept.keys()).sort((a, b) => kept[a]! - kept[b]!)
  let cumulative = 0
  // The least likely go until what is left is no more than topP; the likeliest stays.
  for (const i of order.slice(0, -1)) {
    cumulative += Math.exp(kept[i]!)
    if (cumulative > 1 - topP) break
    kept[i] = -Infinity
  }
  return kept
}
