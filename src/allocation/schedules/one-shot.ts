import type { BudgetSchedule } from './schedule.ts'

/** Everything stays until the budget falls at once, at `totalSteps - tFinal`; `tInit` and `deltaT` do not matter. */
export const oneShot: BudgetSchedule = (step, { initial, target, tFinal, totalSteps }) =>
  step < totalSteps - tFinal ? { budget: initial, mask: false } : { budget: target, mask: true }
