/** Which singular values stay, given the scores of each module and the number that may. */
export type Selection = (scores: readonly Float32Array[], budget: number) => boolean[][]

/**
 * AdaLoRA's selection: one threshold over all modules. With N scores the (N - budget)-th smallest falls with all that tie with it,
 * as in the references, so that fewer than `budget` may stay.
 */
export const global: Selection = (scores, budget) => {
  const all = Float32Array.from(scores.flatMap((module) => [...module])).sort()
  const falling = all.length - budget
  if (falling <= 0) return scores.map((module) => Array.from(module, () => true))
  const threshold = all[falling - 1]!
  return scores.map((module) => Array.from(module, (score) => score > threshold))
}
