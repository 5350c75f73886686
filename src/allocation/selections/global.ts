import type { Selection } from './selection.ts'

/**
 * AdaLoRA's selection: one threshold over all modules. With N scores the (N - budget)-th smallest falls with all that tie with it,
 * as in the references, so that fewer than `budget` may stay.
 */
export const global: Selection = (modules, budget) => {
  const all = Float32Array.from(modules.flatMap(({ scores }) => [...scores])).sort()
  const falling = all.length - budget
  if (falling <= 0) return modules.map(({ scores }) => Array.from(scores, () => true))
  const threshold = all[falling - 1]!
  return modules.map(({ scores }) => Array.from(scores, (score) => score > threshold))
}
