import { z } from 'zod'
import { schedules } from '../allocation/schedules/index.ts'
import { scores } from '../allocation/scores/index.ts'
import { selections } from '../allocation/selections/index.ts'
import { UserError } from '../errors.ts'

const oneOf = <Name extends string>(registry: Readonly<Record<Name, unknown>>) => z.enum(Object.keys(registry) as [Name, ...Name[]])
const duration = z.number().nonnegative()

/** How ranks are given out, for every method whose increments are sums of components. */
export const allocationOptions = {
  score: oneOf(scores).default('importance').describe('what a component is worth'),
  schedule: oneOf(schedules).default('cubic').describe('how the budget falls'),
  selection: oneOf(selections).default('global').describe('who competes with whom'),
  ranks: z.string().min(1).nullable().default(null).describe('the file of `selection: replay`'),
  tInit: duration.default(0.15).describe('updates before the budget falls; below 1 a fraction of all'),
  tFinal: duration.default(0.45).describe('updates after it has fallen, likewise'),
  deltaT: z.number().int().positive().default(10).describe('updates between two allocations'),
  beta1: z.number().gt(0).lt(1).default(0.85).describe('smoothing of sensitivity'),
  beta2: z.number().gt(0).lt(1).default(0.85).describe('smoothing of its uncertainty'),
}

const options = z.object({ targetR: z.number(), ...allocationOptions })
export type AllocationOptions = z.infer<typeof options>

const steps = (time: number, total: number): number => (time > 0 && time < 1 ? Math.round(time * total) : Math.round(time))

export interface BudgetTimes {
  readonly tInit: number
  readonly tFinal: number
}

/** The times of a run in updates. */
export const budgetTimes = ({ tInit, tFinal }: BudgetTimes, totalSteps: number): BudgetTimes => ({
  tInit: steps(tInit, totalSteps),
  tFinal: steps(tFinal, totalSteps),
})

/** Whether some updates are left for the budget to fall in. */
export const hasBudgetingPhase = ({ tInit, tFinal }: BudgetTimes, totalSteps: number): boolean => tInit < totalSteps - tFinal

/**
 * The rank to start from so that `final` is left on average: the paper starts at one and a half times of it.
 * Throws UserError where a file says the ranks.
 */
export function initialRank({ schedule, selection }: Pick<AllocationOptions, 'schedule' | 'selection'>, final: number): number {
  if ('recorded' in selections[selection])
    throw new UserError(`budget: with the selection ${selection} a file says the ranks; leave "budget" out.`)
  return schedules[schedule] ? Math.ceil(final * 1.5) : final
}
