import { availableParallelism } from 'node:os'
import { UserError } from '../errors.ts'
import { bytes, count, flops } from '../track/numbers.ts'
import { table } from '../track/table.ts'
import type { Foretelling } from '../train/foretell.ts'
import { limitBytes } from '../train/memory-plan.ts'
import { type Arm, type Arms, armsOf } from './arms.ts'
import type { Comparison } from './comparison-file.ts'
import { foreteller, matched } from './matching.ts'

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
  /** What an arm takes; worked out when it is first asked for. */
  readonly foretold: (arm: Arm) => Promise<Foretelling>
  /** The memory of one of its trials. */
  readonly bytesOf: (arm: Arm) => Promise<number>
}

/** @throws UserError for whatever would keep an arm from its start, weights apart */
export async function plan(comparison: Comparison): Promise<Planned> {
  const foretold = foreteller()
  const equal = await matched(comparison, armsOf(comparison), foretold)
  const room = roomOf(comparison, equal.arms)
  const arms = equal.arms.map((arm) => ({
    ...arm,
    run: { ...arm.run, train: { ...arm.run.train, threads: arm.run.train.threads ?? room.threads } },
  }))
  const names = arms.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new UserError(`Two arms are called "${twice}"; give the values of the axes names of their own.`)
  return { ...equal, arms, comparison, room, foretold, bytesOf: async (arm) => (await foretold(arm)).memoryBytes }
}

/** What a comparison would run, for `--dry-run`; ends in a line break. */
export async function planText(planned: Planned): Promise<string> {
  const { arms, seeds, comparison, room } = planned
  const tries = comparison.learningRates?.times.length ?? 0
  const rows: string[][] = []
  let total = 0
  for (const arm of arms) {
    const { weights, totalSteps, trainFlops } = await planned.foretold(arm)
    total += (seeds.length + tries) * trainFlops
    rows.push([
      arm.name,
      count(weights.merged),
      count(totalSteps),
      flops(trainFlops),
      bytes(await planned.bytesOf(arm)),
      String(seeds.length + tries),
    ])
  }
  const trials = arms.length * (seeds.length + tries)
  const rates = tries === 0 ? '' : `, ${arms.length * tries} of them to choose learning rates`
  return (
    `${table([['arm', 'weights', 'updates', 'training', 'memory', 'trials'], ...rows])}` +
    `${count(trials)} trials${rates}; ${flops(total)} for rows of the full length; ` +
    `${room.workers} at a time in ${bytes(room.memoryBytes)}\n`
  )
}
