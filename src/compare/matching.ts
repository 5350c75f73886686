import type { RunConfig } from '../config/run-config.ts'
import { UserError } from '../errors.ts'
import { type Counted, type Foretelling, foretell } from '../train/forecast/foretell.ts'
import { type Arm, type Arms, referencesOf } from './arms.ts'
import type { Comparison } from './comparison-file.ts'
import { standIn } from './taken-results.ts'

type Match = 'weights' | 'steps' | 'flops'

/** Operations of an update, for batches of rows of the mean length where that is known. */
export const flopsOf = ({ examples, step, length, costAt }: Foretelling): number =>
  (examples?.meanLength ? costAt(Math.min(length, examples.meanLength)) : step).flops

/** The run with what it must have as much of as the reference. */
const changes: Readonly<Record<Match, (run: RunConfig, reference: Foretelling, own: () => Promise<Foretelling>) => Promise<RunConfig>>> = {
  async weights(run, { weights }) {
    // Methods of one size, such as BitFit or full, stay as they are.
    return 'budget' in run.method ? { ...run, method: { ...run.method, budget: weights.merged } } : run
  },
  async steps(run, { totalSteps }) {
    return { ...run, train: { ...run.train, steps: totalSteps } }
  },
  async flops(run, reference, own) {
    const steps = Math.max(1, Math.round((reference.totalSteps * flopsOf(reference)) / flopsOf(await own())))
    return { ...run, train: { ...run.train, steps } }
  },
}
/** Weights first: what an update costs depends on them. */
const order: readonly Match[] = ['weights', 'steps', 'flops']

const wanted = ({ match }: Comparison): Match[] => order.filter((each) => [match].flat().includes(each))

function check({ axes }: Comparison, matches: readonly Match[]): void {
  if (matches.includes('steps') && matches.includes('flops'))
    throw new UserError('match: steps and flops cannot both be equal; choose one.')
  const over = (key: string): boolean => key in axes
  if (matches.includes('weights') && over('method.budget'))
    throw new UserError('match: weights takes the budget of the plain arm, and method.budget is an axis; give one of them.')
  const length = ['train.steps', 'train.epochs'].find(over)
  if (length !== undefined && matches.some((each) => each !== 'weights'))
    throw new UserError(`match: ${matches.join(', ')} decides how long arms train, and ${length} is an axis; give one of them.`)
}

/** A fault of one arm, with its name. */
async function ofArm<T>(arm: Arm, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${arm.name}: ${error.message}`)
    throw error
  }
}

/** Foretells arms; what was counted in their data is shared. */
export function foreteller(): (arm: Arm) => Promise<Foretelling> {
  const counted = new Map<string, Counted>()
  const known = new Map<string, Promise<Foretelling>>()
  return (arm) => {
    const key = JSON.stringify(arm.run)
    if (!known.has(key))
      known.set(
        key,
        ofArm(arm, () => foretell(arm.run, counted)),
      )
    return known.get(key)!
  }
}

/**
 * The arms made equal to the plain arm that each is compared with, as `match` says.
 * @throws UserError for wishes that contradict each other, and a budget below the smallest of a method
 */
export async function matched(comparison: Comparison, all: Arms, ask: (arm: Arm) => Promise<Foretelling>): Promise<Arms> {
  const matches = wanted(comparison)
  check(comparison, matches)
  const arms: Arm[] = []
  for (const arm of all.arms) {
    const [reference] = referencesOf(arm, all)
    let equal = arm
    // What an arm takes from another has its size from there.
    const own = arm.takes.length > 0 ? matches.filter((each) => each !== 'weights') : matches
    if (reference)
      for (const each of own) {
        equal = { ...equal, run: await changes[each](equal.run, await ask(reference), () => ask(standIn(equal, all.arms))) }
      }
    arms.push(equal)
  }
  return { ...all, arms }
}
