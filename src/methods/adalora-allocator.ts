import { type BudgetSettings, cubic } from '../allocation/schedule.ts'
import { global } from '../allocation/select.ts'
import type { Decision, Kept } from '../nn/method.ts'
import { parameterName } from '../nn/method.ts'
import type { LinearSite } from '../nn/site.ts'

/** What an allocation leaves: the kept singular values of each module, and whether the tensors hold these alone. */
export interface AdaLoraMemory {
  readonly kept: Readonly<Record<string, readonly boolean[]>> | null
  readonly shrunk: boolean
  /** Ranks as last reported, in the order of the modules. */
  readonly ranks: readonly number[] | null
}
export const freshMemory: AdaLoraMemory = { kept: null, shrunk: false, ranks: null }

/** A module as the allocator sees it. */
export interface Allocated {
  readonly site: LinearSite
  /** Scores of its singular values. */
  readonly scores: Float32Array
  /** E's state, `[r, 1]`; zeros are written here. */
  readonly values: Float32Array
}

/** The update whose allocation is the last one, counted from 0. */
export const lastAllocation = ({ tFinal, totalSteps }: BudgetSettings): number => Math.min(totalSteps - tFinal, totalSteps - 1)

function mask(values: Float32Array, keep: readonly boolean[]): void {
  keep.forEach((stays, i) => {
    if (!stays) values[i] = 0
  })
}

/** The slices of a module's tensors that its kept singular values leave. */
function slices(site: LinearSite, kept: readonly boolean[]): Kept[] {
  const indices = kept.flatMap((stays, i) => (stays ? [i] : []))
  const axes = { 'A.weight': 0, 'E.weight': 0, 'B.weight': 1 }
  return Object.entries(axes).map(([role, axis]) => ({ parameter: parameterName(site, role), axis, indices }))
}

/**
 * AdaLoRA's allocation after update `step` (Zhang et al. 2023, Algorithm 1): masks singular values when the schedule says so,
 * fixes the pattern at the last allocation, and holds it from then on. Null where nothing is to be remembered or reported.
 */
export function allocate(
  step: number,
  modules: readonly Allocated[],
  memory: AdaLoraMemory,
  budget: BudgetSettings,
  shrink: boolean,
): Decision | null {
  const final = step === lastAllocation(budget)
  const scheduled = cubic(step, budget)
  const allowed = final ? budget.target : scheduled.budget
  let { kept } = memory
  if (kept) for (const { site, values } of modules) mask(values, kept[site.name]!)
  else if (scheduled.mask || final) {
    const stays = global(
      modules.map(({ scores }) => scores),
      allowed,
    )
    for (const [i, { values }] of modules.entries()) mask(values, stays[i]!)
    if (final) kept = Object.fromEntries(modules.map(({ site }, i) => [site.name, stays[i]!]))
  }
  const ranks = modules.map(({ values }) => values.reduce((n, value) => n + (value === 0 ? 0 : 1), 0))
  if (!final && ranks.join() === memory.ranks?.join()) return null
  const shrunk = final && shrink
  return {
    memory: { kept, shrunk, ranks } satisfies AdaLoraMemory,
    events: [
      {
        event: 'ranks',
        budget: allowed,
        final: kept !== null,
        ranks: Object.fromEntries(modules.map(({ site }, i) => [site.name, ranks[i]!])),
      },
    ],
    ...(shrunk && { reshape: modules.flatMap(({ site }) => slices(site, kept![site.name]!)) }),
  }
}
