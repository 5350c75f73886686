import type { Components } from '../allocation/components.ts'
import type { BudgetSchedule, BudgetSettings } from '../allocation/schedules/schedule.ts'
import type { Selection } from '../allocation/selections/selection.ts'
import type { Decision, Kept } from '../nn/method.ts'
import { parameterName } from '../nn/method.ts'
import type { LinearSite } from '../nn/site.ts'
import { clearSlice, isZeroSlice } from '../nn/tensor.ts'
import type { FactorState } from './divisible.ts'

/** What an allocation leaves: the kept components of each module, and whether the tensors hold these alone. */
export interface AllocationMemory {
  readonly kept: Readonly<Record<string, readonly boolean[]>> | null
  readonly shrunk: boolean
  /** Ranks as last reported, in the order of the modules. */
  readonly ranks: readonly number[] | null
}
export const freshMemory: AllocationMemory = { kept: null, shrunk: false, ranks: null }

/** A module as the allocator sees it. */
export interface Allocated {
  readonly site: LinearSite
  /** Scores of its components. */
  readonly scores: Float32Array
  /** Its parameters' state by role; zeros are written here. */
  readonly factors: FactorState
}

export interface Allocator {
  readonly components: Components
  readonly schedule: BudgetSchedule
  readonly keep: Selection
  readonly budget: BudgetSettings
  /** Whether the tensors are cut to the kept components at the last allocation. */
  readonly shrink: boolean
}

/** The update whose allocation is the last one, counted from 0. */
export const lastAllocation = ({ tFinal, totalSteps }: BudgetSettings): number => Math.min(totalSteps - tFinal, totalSteps - 1)

export type RanksEvent = NonNullable<Decision['event']>

/** What the run's record says of ranks. */
export function ranksEvent(names: readonly string[], ranks: readonly number[], budget: number, final: boolean): RanksEvent {
  return { event: 'ranks', budget, final, ranks: Object.fromEntries(names.map((name, i) => [name, ranks[i]!])) }
}

/**
 * The allocation after update `step` (Zhang et al. 2023, Algorithm 1): masks components when the schedule says so,
 * fixes the pattern at the last allocation, and holds it from then on. Null where nothing is to be remembered or reported.
 */
export function allocate(
  step: number,
  modules: readonly Allocated[],
  memory: AllocationMemory,
  allocator: Allocator,
): (Decision & { readonly event: RanksEvent }) | null {
  const { components, schedule, keep, budget, shrink } = allocator
  const mask = ({ factors }: Allocated, stays: readonly boolean[]): void => {
    for (const role of components.masked) {
      for (const [i, stay] of stays.entries()) if (!stay) clearSlice(factors[role]!, components.axes[role]!, i)
    }
  }
  const isMasked = (factors: FactorState, i: number): boolean =>
    components.masked.every((role) => isZeroSlice(factors[role]!, components.axes[role]!, i))
  /** The slices of a module's tensors that its kept components leave. */
  const slices = (site: LinearSite, stays: readonly boolean[]): Kept[] => {
    const indices = stays.flatMap((stay, i) => (stay ? [i] : []))
    return Object.entries(components.axes).map(([role, axis]) => ({ parameter: parameterName(site, role), axis, indices }))
  }

  const final = step === lastAllocation(budget)
  const scheduled = schedule(step, budget)
  const allowed = final ? budget.target : scheduled.budget
  let { kept } = memory
  if (kept) for (const module of modules) mask(module, kept[module.site.name]!)
  else if (scheduled.mask || final) {
    const stays = keep(
      modules.map(({ site: { name, layer }, scores }) => ({ name, layer, scores })),
      allowed,
    )
    for (const [i, module] of modules.entries()) mask(module, stays[i]!)
    if (final) kept = Object.fromEntries(modules.map(({ site }, i) => [site.name, stays[i]!]))
  }
  const ranks = modules.map(({ site, factors, scores }) => {
    if (kept) return kept[site.name]!.filter(Boolean).length
    // A component may be zero before it has been trained; nothing is masked as long as everything may stay.
    return scores.filter((_, i) => allowed === budget.initial || !isMasked(factors, i)).length
  })
  if (!final && ranks.join() === memory.ranks?.join()) return null
  const shrunk = final && shrink
  const names = modules.map(({ site }) => site.name)
  return {
    memory: { kept, shrunk, ranks } satisfies AllocationMemory,
    event: ranksEvent(names, ranks, allowed, kept !== null),
    ...(shrunk && { reshape: modules.flatMap(({ site }) => slices(site, kept![site.name]!)) }),
  }
}
