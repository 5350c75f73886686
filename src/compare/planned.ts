import { availableParallelism } from 'node:os'
import { UserError } from '../errors.ts'
import type { Foretelling } from '../train/forecast/foretell.ts'
import { limitBytes } from '../train/forecast/memory-plan.ts'
import { type Arm, type Arms, armsOf } from './arms.ts'
import { checkAnswers, checkMetric } from './comparable.ts'
import type { Comparison } from './comparison-file.ts'
import { foreteller, matched } from './matching.ts'
import { standIn } from './taken-results.ts'

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
