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
  const taking = arms.find(({ takes }) => takes.length > 0)
  if (taking)
    throw new UserError(
      `learningRates: ${taking.name} takes the result of a run on all training rows, so that none are left to choose by; ` +
        'leave learningRates out, and give the arms their rates.',
    )
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
function scoreOf(judgement: Judgement, { by, metric }: Pick<Comparison, 'by' | 'metric'>): number {
  return metricIn(judgement[by].metrics, metric ?? judgement.metric)
}

/** The better of two judgements by a metric; of equals the one with the lower loss, then the first. */
function betterOf(a: Judgement, b: Judgement, { by, metric }: Pick<Comparison, 'by' | 'metric'>): Judgement {
  const name = metric ?? a.metric
  const sign = isLowerBetter(name) ? -1 : 1
  // A score that is not finite is worse than any that is.
  const worth = (judgement: Judgement): number => {
    const score = scoreOf(judgement, { by, metric: name })
    return Number.isFinite(score) ? sign * score : Number.NEGATIVE_INFINITY
  }
  if (worth(a) !== worth(b)) return worth(a) > worth(b) ? a : b
  return (b[by].metrics.loss ?? 0) < (a[by].metrics.loss ?? 0) ? b : a
}

/** The arm at the best of the rates that trained to their end, or at its own where none are tried. */
export function withBestRate(
  arm: Arm,
  trials: readonly Trial[],
  judged: ReadonlyMap<string, Judgement>,
  comparison: Pick<Comparison, 'by' | 'metric'>,
): RatedArm {
  if (trials.length === 0) return { ...arm, learningRate: ownRate(arm), tried: [] }
  const ended = trials.flatMap(({ id, run }) => {
    const judgement = judged.get(id)
    return judgement ? [{ judgement, learningRate: run.train.learningRate! }] : []
  })
  const best = ended.map(({ judgement }) => judgement).reduce((a, b) => betterOf(a, b, comparison))
  const tried = trials.map(({ id, times, run }): TriedRate => {
    const judgement = judged.get(id)
    return { times: times!, learningRate: run.train.learningRate!, score: judgement ? scoreOf(judgement, comparison) : null }
  })
  return { ...arm, learningRate: ended.find(({ judgement }) => judgement === best)!.learningRate, tried }
}
