import type { ForwardCosts } from '../evaluate/inspection.ts'
import type { WeightCounts } from '../evaluate/weight-counts.ts'
import { count, flops, percent } from './numbers.ts'
import { table } from './table.ts'

/** Weights of the base model, in training and at the end, with their shares of the model with its head, and what a token costs each. */
export function weightsTable({ base, head, trained, merged }: WeightCounts, costs: ForwardCosts, costName: string): string {
  const form = (name: string, weights: number, cost: number): string[] => {
    const shares = [weights, weights + head].flatMap((n) => [count(n), percent(n, base + head)])
    return [name, ...shares, flops(cost)]
  }
  return table([
    ['', 'weights', '% of model', 'with head', '% of model', costName],
    form('base', base, costs.base),
    form('in training', trained, costs.training),
    form('at the end', merged, costs.merged),
  ])
}
