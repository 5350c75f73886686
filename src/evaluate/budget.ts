import { UserError } from '../errors.ts'
import type { BudgetOption } from '../methods/budget-option.ts'
import { definitionOf, type MethodOptions } from '../methods/index.ts'
import type { Outline, Subject } from './assembly.ts'
import { methodFor } from './method-for.ts'
import { weightCounts } from './weight-counts.ts'

const units: Readonly<Record<string, number>> = { k: 1e3, M: 1e6 }

/** A budget in weights; a share is one of the whole model with its head. */
function weightsOf(budget: Exclude<BudgetOption, null | { ranks: number }>, total: number): number {
  if (typeof budget === 'number') return budget
  const number = Number.parseFloat(budget)
  return budget.endsWith('%') ? (number / 100) * total : number * units[budget.at(-1)!]!
}

/**
 * The options with the rank or width that a budget allows: the largest whose weights, merged and without head, stay within it.
 * A sum of ranks is spread evenly over the modules.
 * @throws UserError for a budget below the smallest, and where other settings leave nothing to size
 */
export function withinBudget(subject: Subject, outline: Outline, options: MethodOptions): MethodOptions {
  if (!('budget' in options) || options.budget === null) return options
  const { budget } = options
  const resized = (n: number): MethodOptions => definitionOf(options).resize!(options, n)
  const cost = (n: number): number => weightCounts(outline, methodFor(subject, outline, resized(n))).merged
  if (cost(2) === cost(1))
    throw new UserError(
      `budget: the settings of ${options.name} give every module its size; leave them out, or "budget" and match: weights.`,
    )
  if (typeof budget === 'object') {
    const method = methodFor(subject, outline, resized(1))
    const modules = outline.sites.filter((site) => Object.keys(method.parameters(site)).length > 0).length
    if (budget.ranks < modules)
      throw new UserError(`A budget of ${budget.ranks} ranks is less than one for each of the ${modules} modules.`)
    return resized(Math.floor(budget.ranks / modules))
  }
  const { base, head } = weightCounts(outline, methodFor(subject, outline, resized(1)))
  const allowed = weightsOf(budget, base + head)
  if (cost(1) > allowed)
    throw new UserError(`A budget of ${budget} is ${Math.floor(allowed)} weights; the smallest ${options.name} here has ${cost(1)}.`)
  let [fits, exceeds] = [1, 2]
  while (cost(exceeds) <= allowed) [fits, exceeds] = [exceeds, 2 * exceeds]
  while (exceeds - fits > 1) {
    const middle = Math.floor((fits + exceeds) / 2)
    if (cost(middle) <= allowed) fits = middle
    else exceeds = middle
  }
  return resized(fits)
}
