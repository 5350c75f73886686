import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { defaultRate } from '../methods/index.ts'
import { isLowerBetter, metricIn } from '../tasks/task.ts'
import type { Arm, Arms } from './arms.ts'
import type { Comparison } from './comparison-file.ts'
import { onTrainingRows } from './held-out.ts'
import type { Judgement } from './judgement.ts'
import { type Trial, trialOf } from './trial.ts'

/** A learning rate that was tried for an arm, and what it scored on rows held out of training; null where its run failed. */
export interface TriedRate {
  readonly times: number
  readonly learningRate: number
  readonly score: number | null
}

/** An arm with the rate that it trains at. */
export interface RatedArm extends Arm {
  readonly learningRate: number
  readonly tried: readonly TriedRate[]
}

const ownRate = ({ run }: Arm): number => run.train.learningRate ?? defaultRate(run.method)

/** The trials that choose each arm's rate: the same number for all, with the first seed; none where rates are not chosen. */
export async function rateTrials(
  { learningRates, axes }: Comparison,
  { arms, seeds }: Arms,
  out: string,
): Promise<ReadonlyMap<Arm, readonly Trial[]>> {
  if (learningRates === null) return new Map()
  if ('train.learningRate' in axes)
    throw new UserError('learningRates: the rates are to be chosen, and train.learningRate is an axis; give one of them.')
  const { times, heldOut } = learningRates
  const trials = new Map<Arm, readonly Trial[]>()
  for (const arm of arms) {
    const run = await onTrainingRows(arm.run, heldOut, join(out, 'held-out'))
    trials.set(
      arm,
      times.map((factor) => trialOf(arm, run, seeds[0]!, ownRate(arm) * factor, factor)),
    )
  }
  return trials
}

/** The score that a judgement is compared by. */
export function scoreOf(judgement: Judgement, { by, metric }: Pick<Comparison, 'by' | 'metric'>): number {
  return metricIn(judgement[by].metrics, metric ?? judgement.metric)
}

/** Whether one score is better than another; any is better than none. */
const better = (metric: string, a: number | null, b: number | null): boolean =>
  a !== null && (b === null || (isLowerBetter(metric) ? a < b : a > b))

/**
 * The arm at the best of its rates, the first of equals.
 * @throws UserError where all of its trials failed
 */
export function withBestRate(
  arm: Arm,
  trials: readonly Trial[],
  judged: ReadonlyMap<string, Judgement>,
  comparison: Pick<Comparison, 'by' | 'metric'>,
): RatedArm {
  if (trials.length === 0) return { ...arm, learningRate: ownRate(arm), tried: [] }
  const tried = trials.map(({ id, times, run }): TriedRate => {
    const judgement = judged.get(id)
    return { times: times!, learningRate: run.train.learningRate!, score: judgement ? scoreOf(judgement, comparison) : null }
  })
  const metric = comparison.metric ?? trials.map(({ id }) => judged.get(id)?.metric).find((name) => name !== undefined)
  if (metric === undefined)
    throw new UserError(`${arm.name}: no learning rate of ${tried.map((one) => one.learningRate).join(', ')} trained to its end.`)
  const best = tried.reduce((a, b) => (better(metric, b.score, a.score) ? b : a))
  return { ...arm, learningRate: best.learningRate, tried }
}
