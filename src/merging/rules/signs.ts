import type { TensorSettings } from './tensor-rule.ts'

/**
 * TIES (Yadav et al. 2023), after pruning: for each element the members elect a sign, zero counting as plus, and `Σ w x` over those
 * that have it is divided by their number.
 */
export function electedMean(pruned: readonly Float32Array[], weights: readonly number[], sign: TensorSettings['sign']): Float32Array {
  return pruned[0]!.map((_, i) => {
    const vote = pruned.reduce((sum, { [i]: value }) => sum + (sign === 'total' ? value! : Math.sign(value!)), 0)
    const elected = vote >= 0 ? 1 : -1
    let [sum, count] = [0, 0]
    for (const [k, { [i]: value }] of pruned.entries()) {
      if (Math.sign(value!) !== elected) continue
      sum += weights[k]! * value!
      count++
    }
    return sum / Math.max(count, 1)
  })
}
