export type Schedule = 'constant' | 'linear' | 'cosine'

export interface ScheduleOptions {
  readonly schedule: Schedule
  readonly learningRate: number
  readonly warmupSteps: number
  readonly totalSteps: number
}

/** The learning rate of update `step`, counted from 0: linear warm-up from 0, then the schedule down to 0 (HF's get_*_schedule_with_warmup). */
export function learningRateAt(step: number, { schedule, learningRate, warmupSteps, totalSteps }: ScheduleOptions): number {
  if (step < warmupSteps) return (learningRate * step) / Math.max(1, warmupSteps)
  if (schedule === 'constant') return learningRate
  const progress = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps)
  if (schedule === 'linear') return learningRate * Math.max(0, 1 - progress)
  return learningRate * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)))
}
