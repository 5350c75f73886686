import { UserError } from '../errors.ts'
import { type Interval, interval, twoSided } from '../metrics/bootstrap.ts'
import { holm } from '../metrics/holm.ts'
import { mean } from '../metrics/moments.ts'
import { isLowerBetter } from '../tasks/task.ts'
import { inPercent } from '../track/metric-text.ts'
import { energyOf } from '../train/energy.ts'
import { type Arm, type Arms, referencesOf } from './arms.ts'
import type { Comparison } from './comparison-file.ts'
import { contrast } from './contrast.ts'
import { type Figure, figureOf } from './figure.ts'
import type { Scores } from './judgement.ts'
import type { RatedArm, TriedRate } from './learning-rates.ts'
import type { Passed, TrialResult } from './trial-result.ts'

/** What an arm came to. */
export interface ArmSummary {
  readonly name: string
  readonly point: Arm['point']
  readonly method: string
  readonly learningRate: number
  readonly tried: readonly TriedRate[]
  readonly last: Figure
  readonly best: Figure
  /** Means over the seeds of every metric. */
  readonly metrics: { readonly last: Readonly<Record<string, number>>; readonly best: Readonly<Record<string, number>> }
  /** Means over the seeds; of peak memory and the adapter's size the most. */
  readonly took: Readonly<
    Record<
      | 'base'
      | 'head'
      | 'trained'
      | 'merged'
      | 'steps'
      | 'tokens'
      | 'trainFlops'
      | 'seconds'
      | 'cpuSeconds'
      | 'joules'
      | 'peakMemoryBytes'
      | 'adapterBytes',
      number
    >
  >
}

/** An arm beside a plain one. */
export interface Difference {
  readonly arm: string
  readonly against: string
  /** Of the means over the seeds that both have. */
  readonly difference: number
  readonly interval: Interval | null
  /** Two-sided, of a paired bootstrap over rows and seeds; null where rows are not scored one by one. */
  readonly p: number | null
  /** Corrected for the number of comparisons (Holm). */
  readonly adjusted: number | null
  readonly verdict: 'better' | 'worse' | 'cannot be told'
  /** When the arm first scored as the plain one of the same seed did at its best, on evaluation rows. */
  readonly toPlain: ToPlain
}

export interface ToPlain {
  /** Seeds that got there, of so many. */
  readonly reached: number
  readonly of: number
  /** Means over those that got there; null where none did. */
  readonly steps: number | null
  readonly flops: number | null
}

/** What a comparison came to. */
export interface Summary {
  readonly metric: string
  /** Whether its values are in percent, and not shares. */
  readonly percent: boolean
  readonly by: Comparison['by']
  readonly level: number
  readonly resamples: number
  /** Rows that the metric is of; of scores of texts, the texts. */
  readonly rows: number
  readonly of: 'test' | 'eval'
  /** Whether joules were read by every trial, or are estimated from processor time for all. */
  readonly energy: 'read' | 'estimated'
  readonly seeds: readonly number[]
  readonly plain: Arms['plain']
  readonly arms: readonly ArmSummary[]
  readonly differences: readonly Difference[]
}

/** An arm with the results of its seeds, in the order of the seeds. */
export interface ArmResults {
  readonly arm: RatedArm
  readonly results: readonly TrialResult[]
}

const tookNames = ['base', 'head', 'trained', 'merged', 'steps', 'tokens', 'trainFlops', 'seconds', 'cpuSeconds'] as const
const mostNames = ['peakMemoryBytes', 'adapterBytes'] as const

function armSummary(
  { arm, results }: ArmResults,
  metric: string,
  level: number,
  joulesOf: (took: TrialResult['took']) => number,
): ArmSummary {
  const of = (when: 'last' | 'best'): Scores[] => results.map(({ judgement }) => judgement[when])
  const means = (scores: readonly Scores[]): Record<string, number> =>
    Object.fromEntries(Object.keys(scores[0]!.metrics).map((name) => [name, mean(scores.map(({ metrics }) => metrics[name]!))]))
  const took = (name: string): number[] => results.map((result) => result.took[name]!)
  return {
    ...{ name: arm.name, point: arm.point, method: arm.run.method.name, learningRate: arm.learningRate, tried: arm.tried },
    last: figureOf(of('last'), metric, level),
    best: figureOf(of('best'), metric, level),
    metrics: { last: means(of('last')), best: means(of('best')) },
    took: Object.fromEntries([
      ...tookNames.map((name) => [name, mean(took(name))]),
      ['joules', mean(results.map((result) => joulesOf(result.took)))],
      ...mostNames.map((name) => [name, Math.max(...took(name))]),
    ]) as ArmSummary['took'],
  }
}

/** The evaluation at which a trial first scored what another did at its best; undefined where it never did. */
export function reaching({ evaluations }: TrialResult, other: TrialResult, metric: string): Passed | undefined {
  const sign = isLowerBetter(metric) ? -1 : 1
  const score = ({ metrics }: Passed): number => sign * (metrics[metric] ?? Number.NEGATIVE_INFINITY)
  const target = Math.max(...other.evaluations.map(score))
  return Number.isFinite(target) ? evaluations.find((each) => score(each) >= target) : undefined
}

function toPlain(own: readonly TrialResult[], plain: readonly TrialResult[], metric: string): ToPlain {
  const got = own.map((trial, i) => reaching(trial, plain[i]!, metric)).filter((there) => there !== undefined)
  const of = own.length
  if (got.length === 0) return { reached: 0, of, steps: null, flops: null }
  return { reached: got.length, of, steps: mean(got.map(({ step }) => step)), flops: mean(got.map(({ flops }) => flops)) }
}

type Uncorrected = Omit<Difference, 'adjusted' | 'verdict'>

function differenceOf(own: ArmResults, plain: ArmResults, metric: string, { by, level }: Comparison): Uncorrected {
  const scores = ({ results }: ArmResults): Scores[] => results.map(({ judgement }) => judgement[by])
  const { difference, draws } = contrast([scores(own)], [scores(plain)], metric)
  return {
    ...{ arm: own.arm.name, against: plain.arm.name, difference },
    interval: draws && interval(draws, level),
    p: draws && twoSided(draws),
    toPlain: toPlain(own.results, plain.results, metric),
  }
}

function verdictOf(difference: number, adjusted: number | null, metric: string, level: number): Difference['verdict'] {
  if (adjusted === null || adjusted >= 1 - level) return 'cannot be told'
  return difference > 0 === isLowerBetter(metric) ? 'worse' : 'better'
}

/** Corrects p-values for their number, those that are there. */
function corrected(differences: readonly Uncorrected[], metric: string, level: number): Difference[] {
  const known = differences.filter(({ p }) => p !== null)
  const adjusted = holm(known.map(({ p }) => p!))
  return differences.map((each) => {
    const own = each.p === null ? null : adjusted[known.indexOf(each)]!
    return { ...each, adjusted: own, verdict: verdictOf(each.difference, own, metric, level) }
  })
}

/** @throws UserError where trials of a seed answered other rows than another's */
function checkRows(all: readonly ArmResults[]): void {
  const [first] = all
  for (const { results } of all) {
    for (const [i, { judgement, trial }] of results.entries()) {
      const { judgement: wanted, trial: other } = first!.results[i]!
      if (judgement.digest !== wanted.digest)
        throw new UserError(`${trial.id} and ${other.id} answered other rows; they cannot be compared.`)
    }
  }
}

/** Joules of trials, all of them read or all of them estimated, so that they can be compared. */
function energyOfAll(trials: readonly TrialResult['took'][]): { are: Summary['energy']; of: (took: TrialResult['took']) => number } {
  if (trials.every(({ joules }) => joules !== undefined)) return { are: 'read', of: ({ joules }) => joules! }
  return { are: 'estimated', of: ({ cpuSeconds }) => energyOf({ cpuSeconds: cpuSeconds! }).joules }
}

/** What the results of all arms come to. */
export function summarise(comparison: Comparison, arms: Arms, all: readonly ArmResults[]): Summary {
  checkRows(all)
  const { by, level, resamples } = comparison
  const { judgement } = all[0]!.results[0]!
  const metric = comparison.metric ?? judgement.metric
  const rows = judgement.texts?.scores.includes(metric) ? judgement.texts.count : judgement.rows
  const resultsOf = (name: string): ArmResults => all.find(({ arm }) => arm.name === name)!
  const differences = all.flatMap((own) =>
    referencesOf(own.arm, arms).map(({ name }) => differenceOf(own, resultsOf(name), metric, comparison)),
  )
  const joules = energyOfAll(all.flatMap(({ results }) => results.map(({ took }) => took)))
  return {
    ...{
      metric,
      percent: inPercent(all[0]!.arm.run.task),
      by,
      level,
      resamples,
      rows,
      of: judgement.of,
      energy: joules.are,
      seeds: arms.seeds,
      plain: arms.plain,
    },
    arms: all.map((each) => armSummary(each, metric, level, joules.of)),
    differences: corrected(differences, metric, level),
  }
}
