/** A budget schedule's settings: all counts are components over the whole model, all times are updates. */
export interface BudgetSettings {
  readonly initial: number
  readonly target: number
  readonly tInit: number
  readonly tFinal: number
  readonly deltaT: number
  readonly totalSteps: number
}

export interface Budget {
  readonly budget: number
  /** Whether components are masked at this step. */
  readonly mask: boolean
}

/** How many components may stay at update `step`, counted from 0. It never rises; `totalSteps - tFinal` has the target. */
export type BudgetSchedule = (step: number, settings: BudgetSettings) => Budget

/**
 * Full until `tInit`, then a power of the time that is left, down to the target at `totalSteps - tFinal`, masking whenever `deltaT`
 * divides the step; the target after that.
 */
export const decay =
  (power: number): BudgetSchedule =>
  (step, { initial, target, tInit, tFinal, deltaT, totalSteps }) => {
    if (step <= tInit) return { budget: initial, mask: false }
    const end = totalSteps - tFinal
    if (step > end) return { budget: target, mask: true }
    const left = 1 - (step - tInit) / (end - tInit)
    return { budget: Math.floor((initial - target) * left ** power + target), mask: step % deltaT === 0 }
  }
