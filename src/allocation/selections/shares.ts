import { grouped } from '../../grouped.ts'
import { global } from './global.ts'
import type { Scored, Selection } from './selection.ts'

/**
 * A threshold for each group of modules. A group's share of the budget is its share of the components; what rounding leaves is given
 * out in order, so that the shares add up to the budget and each lies within one of its exact value.
 */
export const shares =
  (groupOf: (module: Scored) => unknown): Selection =>
  (modules, budget) => {
    const count = (of: readonly Scored[]): number => of.reduce((sum, { scores }) => sum + scores.length, 0)
    const total = count(modules)
    const stays = new Map<Scored, boolean[]>()
    let [seen, given] = [0, 0]
    for (const group of grouped(modules, groupOf).values()) {
      seen += count(group)
      const upTo = Math.floor((budget * seen) / total)
      global(group, upTo - given).forEach((kept, i) => {
        stays.set(group[i]!, kept)
      })
      given = upTo
    }
    return modules.map((module) => stays.get(module)!)
  }
