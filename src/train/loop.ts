import type { Place } from '../data/row.ts'
import { UserError } from '../errors.ts'
import { isLowerBetter, metricIn } from '../tasks/task.ts'
import type { Sink } from './events.ts'
import type { Plan } from './plan.ts'
import type { Training } from './training.ts'

export interface Evaluation {
  readonly step: number
  readonly metrics: Readonly<Record<string, number>>
}

/** How far a run has come; plain JSON, part of every checkpoint. */
export interface Progress {
  /** Updates made. */
  step: number
  tokens: number
  flops: number
  best: Evaluation | null
  last: Evaluation | null
  /** Evaluations since the best one. */
  sinceBest: number
  stoppedEarly: boolean
}

export const startOfRun = (): Progress => ({ step: 0, tokens: 0, flops: 0, best: null, last: null, sinceBest: 0, stoppedEarly: false })

export interface LoopOptions {
  readonly training: Training
  readonly plan: Plan
  readonly evaluates: boolean
  readonly keepBest: string
  readonly patience: number | null
  readonly checkpointEvery: number
  readonly emit: Sink
  readonly stopRequested: () => boolean
  /** Keeps the state, to go on from; returns where. */
  readonly checkpoint: (progress: Progress) => string
  /** Keeps the state as the best one. */
  readonly keepAsBest: (progress: Progress) => void
}

/** Where the rows of an update came from, for errors. */
function rowNames(rows: readonly Place[]): string {
  const named = rows.slice(0, 8).map(({ file, line }) => `${file}:${line}`)
  return named.join(', ') + (rows.length > 8 ? ` and ${rows.length - 8} more` : '')
}

/** Whether `a` is a number and better than `b`, if there is one. */
function better(metric: string, a: number, b: number | undefined): boolean {
  if (!Number.isFinite(a) || b === undefined) return Number.isFinite(a)
  return isLowerBetter(metric) ? a < b : a > b
}

/** Trains from `progress` to the end of the plan, or to a stop. Returns whether it came to the end. */
export async function trainLoop(progress: Progress, options: LoopOptions): Promise<boolean> {
  const { training, plan, emit } = options
  while (progress.step < plan.totalSteps && !progress.stoppedEarly) {
    if (options.stopRequested()) {
      options.checkpoint(progress)
      return false
    }
    const start = performance.now()
    const { result, events } = await training.advance(progress.step)
    if (!result.finite) {
      const kept = options.checkpoint(progress)
      throw new UserError(
        `The loss is not a finite number at update ${progress.step + 1} (rows ${rowNames(plan.microBatches(progress.step).flat())}); ` +
          `the update was not made. Lower train.learningRate, or look at these rows; with adapter: ${kept} a new run goes on from what was trained.`,
      )
    }
    const { loss, taskLoss, penalty, balance, consistency, gradNorm, tokens, flops } = result
    const learningRate = training.learningRate(progress.step)
    progress.step++
    progress.tokens += tokens
    progress.flops += flops
    const epoch = plan.epochAt(progress.step)
    emit({
      event: 'step',
      step: progress.step,
      epoch,
      loss,
      taskLoss,
      penalty,
      balance,
      consistency,
      gradNorm,
      learningRate,
      tokens,
      flops,
      ms: performance.now() - start,
    })
    for (const event of events) emit({ ...event, step: progress.step })

    if (options.evaluates && plan.evaluatesAfter(progress.step)) {
      const metrics = await training.evaluate()
      const counts = training.method.settled?.(progress.step) ?? true
      const isBest = counts && better(options.keepBest, metricIn(metrics, options.keepBest), progress.best?.metrics[options.keepBest])
      progress.last = { step: progress.step, metrics }
      if (isBest) progress.best = progress.last
      progress.sinceBest = isBest || !counts ? 0 : progress.sinceBest + 1
      progress.stoppedEarly = options.patience !== null && progress.sinceBest >= options.patience
      emit({ event: 'eval', step: progress.step, epoch, ...metrics, best: isBest })
      if (isBest) options.keepAsBest(progress)
    }
    const ends = progress.step === plan.totalSteps || progress.stoppedEarly
    if (ends || progress.step % options.checkpointEvery === 0) {
      emit({ event: 'checkpoint', step: progress.step })
      options.checkpoint(progress)
    }
  }
  return true
}
