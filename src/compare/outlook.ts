import { grouped } from '../grouped.ts'
import { bytes, count, duration, flops } from '../track/numbers.ts'
import { table } from '../track/table.ts'
import type { Foretelling } from '../train/forecast/foretell.ts'
import { flopsOf } from './matching.ts'
import type { Planned } from './planned.ts'
import { speedOf } from './speed.ts'
import { trainingOf } from './trial.ts'

/** What the trials of an arm would take, each of them but for their number. */
interface ArmOutlook {
  readonly name: string
  /** At the end, head aside. */
  readonly weights: number
  readonly steps: number
  /** For rows of the mean length. */
  readonly flops: number
  readonly memoryBytes: number
  /** Null where the speed is not known. */
  readonly seconds: number | null
  /** A seed each, and rates that are tried. */
  readonly trials: number
}

/** What a comparison would run. */
export interface Outlook {
  readonly arms: readonly ArmOutlook[]
  readonly trials: number
  /** Of these, to choose learning rates. */
  readonly tries: number
  /** Of all trials; of those that train alike, one trains for all. */
  readonly steps: number
  readonly flops: number
  /** Trials at a time, and the memory that they may take together. */
  readonly workers: number
  readonly memoryBytes: number
  /** Of a trial; null where it is not known. */
  readonly flopsPerSecond: number | null
  /** Where that is known from, or why it is not. */
  readonly speed: string
  /** Wall-clock seconds of all trials; null where the speed is not known. */
  readonly seconds: number | null
}

/** Operations of a trial. */
const operationsOf = (foretold: Foretelling): number => foretold.totalSteps * flopsOf(foretold)

/** Looks ahead, by the trials that ended in `out` or some updates that are made. */
export async function outlookOf(planned: Planned, out: string | null): Promise<Outlook> {
  const { arms, seeds, comparison, room } = planned
  const foretold = await Promise.all(arms.map(planned.foretold))
  const speed = await speedOf(planned, out)
  const flopsPerSecond = typeof speed === 'string' ? null : speed.flopsPerSecond
  const tries = comparison.learningRates?.times.length ?? 0
  const trials = seeds.length + tries
  // Of arms that train alike, the first trains for all.
  const training = new Set([...grouped(arms, ({ run }) => trainingOf(run)).values()].map(([first]) => first!))
  const sum = (value: (one: Foretelling) => number): number =>
    foretold.reduce((total, one, i) => total + (training.has(arms[i]!) ? trials : tries) * value(one), 0)
  const all = sum(operationsOf)
  return {
    arms: foretold.map((one, i) => ({
      name: arms[i]!.name,
      weights: one.weights.merged,
      steps: one.totalSteps,
      flops: operationsOf(one),
      memoryBytes: one.memoryBytes,
      seconds: flopsPerSecond && operationsOf(one) / flopsPerSecond,
      trials,
    })),
    ...{ trials: trials * arms.length, tries: tries * arms.length },
    ...{ steps: sum(({ totalSteps }) => totalSteps), flops: all },
    ...{ workers: room.workers, memoryBytes: room.memoryBytes, flopsPerSecond },
    speed: typeof speed === 'string' ? speed : speed.from,
    seconds: flopsPerSecond && all / flopsPerSecond / room.workers,
  }
}

/** What a comparison would run, for a reader; ends in a line break. */
export function outlookText({ arms, trials, tries, flops: all, workers, memoryBytes, flopsPerSecond, speed, seconds }: Outlook): string {
  const rows = arms.map((arm) => [
    arm.name,
    count(arm.weights),
    count(arm.steps),
    flops(arm.flops),
    bytes(arm.memoryBytes),
    arm.seconds === null ? '–' : duration(arm.seconds),
    String(arm.trials),
  ])
  const rates = tries === 0 ? '' : `, ${tries} of them to choose learning rates`
  const time =
    seconds === null || flopsPerSecond === null
      ? `how long is not known: ${speed}`
      : `about ${duration(seconds)} at ${flops(flopsPerSecond)}/s a trial (${speed})`
  return (
    `${table([['arm', 'weights', 'updates', 'training', 'memory', 'a trial', 'trials'], ...rows])}` +
    `${count(trials)} trials${rates}; ${flops(all)} for rows of the mean length; ` +
    `${workers} at a time in ${bytes(memoryBytes)}\n${time}\n`
  )
}
