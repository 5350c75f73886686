/** A budget schedule's settings: all counts are singular values over the whole model, all times are updates. */
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
  /** Whether singular values are masked at this step. */
  readonly mask: boolean
}

/** How many singular values may stay at update `step`, counted from 0. */
export type BudgetSchedule = (step: number, settings: BudgetSettings) => Budget

/**
 * AdaLoRA's cubic decay (Zhang et al. 2023, eq. 14, with the time that the authors' code uses): full until `tInit`,
 * then a cubic down to the target at `totalSteps - tFinal`, masking whenever `deltaT` divides the step; the target after that.
 */
export const cubic: BudgetSchedule = (step, { initial, target, tInit, tFinal, deltaT, totalSteps }) => {
  if (step <= tInit) return { budget: initial, mask: false }
  const end = totalSteps - tFinal
  if (step > end) return { budget: target, mask: true }
  const left = 1 - (step - tInit) / (end - tInit)
  return { budget: Math.floor((initial - target) * left ** 3 + target), mask: step % deltaT === 0 }
}
