import { availableParallelism } from 'node:os'
import { UserError } from '../errors.ts'
import { grouped } from '../grouped.ts'
import { bytes, count, duration, flops } from '../track/numbers.ts'
import { table } from '../track/table.ts'
import type { Foretelling } from '../train/forecast/foretell.ts'
import { limitBytes } from '../train/forecast/memory-plan.ts'
import { type Arm, type Arms, armsOf } from './arms.ts'
import { checkAnswers, checkMetric } from './comparable.ts'
import type { Comparison } from './comparison-file.ts'
import { flopsOf, foreteller, matched } from './matching.ts'
import type { Speed } from './speed.ts'
import { standIn } from './taken-results.ts'
import { trainingOf } from './trial.ts'

/** How trials run side by side. */
export interface Room {
  readonly workers: number
  /** Of a trial that does not say. */
  readonly threads: number
  readonly memoryBytes: number
}

function roomOf({ workers, memory }: Comparison, arms: readonly Arm[]): Room {
  const cores = availableParallelism()
  const asked = Math.max(1, ...arms.map(({ run }) => run.train.threads ?? 1))
  const most = workers ?? Math.max(1, Math.floor(cores / asked))
  return {
    workers: most,
    threads: Math.max(1, Math.floor(cores / most)),
    memoryBytes: memory === null ? 0.8 * process.availableMemory() : limitBytes(memory),
  }
}

/** A comparison with its arms made equal, and what they are foretold to take. */
export interface Planned extends Arms {
  readonly comparison: Comparison
  readonly room: Room
  /** What an arm takes; worked out when it is first asked for. Throws UserError where it does not have the metric that is compared. */
  readonly foretold: (arm: Arm) => Promise<Foretelling>
  /** The memory of one of its trials. */
  readonly bytesOf: (arm: Arm) => Promise<number>
}

/** @throws UserError for whatever would keep an arm from its start, weights apart, or from being compared */
export async function plan(comparison: Comparison): Promise<Planned> {
  const ask = foreteller()
  const equal = await matched(comparison, armsOf(comparison), ask)
  const room = roomOf(comparison, equal.arms)
  const arms = equal.arms.map((arm) => ({
    ...arm,
    run: { ...arm.run, train: { ...arm.run.train, threads: arm.run.train.threads ?? room.threads } },
  }))
  const names = arms.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new UserError(`Two arms are called "${twice}"; give the values of the axes names of their own.`)
  for (const arm of arms) checkAnswers(arm, comparison)
  const foretold = async (arm: Arm): Promise<Foretelling> => {
    const found = await ask(standIn(arm, arms))
    checkMetric(arm, comparison, found)
    return found
  }
  return { ...equal, arms, comparison, room, foretold, bytesOf: async (arm) => (await foretold(arm)).memoryBytes }
}

/** What all trials of a comparison would take. */
export interface Total {
  readonly trials: number
  /** Of these, to choose learning rates. */
  readonly tries: number
  readonly steps: number
  readonly flops: number
}

/** Operations of a trial. */
const operationsOf = (foretold: Foretelling): number => foretold.totalSteps * flopsOf(foretold)

/** Trials of an arm: a seed each, and rates that are tried. */
const trialsOf = ({ seeds, comparison }: Planned): number => seeds.length + (comparison.learningRates?.times.length ?? 0)

export async function totalOf(planned: Planned): Promise<Total> {
  const { arms, seeds } = planned
  const each = trialsOf(planned)
  const tries = each - seeds.length
  // Of arms that train alike, the first trains for all.
  const training = new Set([...grouped(arms, ({ run }) => trainingOf(run)).values()].map(([first]) => first!))
  const runs = await Promise.all(
    arms.map(async (arm) => ({ count: training.has(arm) ? each : tries, foretold: await planned.foretold(arm) })),
  )
  const sum = (value: (one: Foretelling) => number): number =>
    runs.reduce((total, { count, foretold }) => total + count * value(foretold), 0)
  return { trials: each * arms.length, tries: tries * arms.length, steps: sum(({ totalSteps }) => totalSteps), flops: sum(operationsOf) }
}

/** Wall-clock seconds of so many operations, with as many trials at a time as there are workers. */
export const secondsOf = ({ room }: Planned, operations: number, { flopsPerSecond }: Speed): number =>
  operations / flopsPerSecond / room.workers

/** What a comparison would run, for `--dry-run`; ends in a line break. */
export async function planText(planned: Planned, speed: Speed | string): Promise<string> {
  const { arms, room } = planned
  const { trials, tries, flops: all } = await totalOf(planned)
  const known = typeof speed !== 'string'
  const rows = await Promise.all(
    arms.map(async (arm) => {
      const foretold = await planned.foretold(arm)
      const operations = operationsOf(foretold)
      return [
        arm.name,
        count(foretold.weights.merged),
        count(foretold.totalSteps),
        flops(operations),
        bytes(await planned.bytesOf(arm)),
        known ? duration(operations / speed.flopsPerSecond) : '–',
        String(trialsOf(planned)),
      ]
    }),
  )
  const rates = tries === 0 ? '' : `, ${tries} of them to choose learning rates`
  const time = known
    ? `about ${duration(secondsOf(planned, all, speed))} at ${flops(speed.flopsPerSecond)}/s a trial (${speed.from})`
    : `how long is not known: ${speed}`
  return (
    `${table([['arm', 'weights', 'updates', 'training', 'memory', 'a trial', 'trials'], ...rows])}` +
    `${count(trials)} trials${rates}; ${flops(all)} for rows of the mean length; ` +
    `${room.workers} at a time in ${bytes(room.memoryBytes)}\n${time}\n`
  )
}
