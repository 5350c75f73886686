import type { RunConfig } from '../config/run-config.ts'
import type { State } from '../evaluate/state.ts'
import type { Plan } from './plan.ts'

/** State names of what is kept of averages: one tensor a parameter, and how many states they hold. */
const averageOf = (parameter: string): string => `${parameter}@average`
const COUNT = 'state@count'

/** Whether a state holds what is trained under a name, and not what is kept beside it. */
export const isParameter = (name: string): boolean => !name.includes('@')

type Average = RunConfig['train']['average']

/** Whether the weights after so many updates enter the average. The last ones always do. */
export function entersAverage(average: Average, plan: Plan, updates: number): boolean {
  if (average === null || average.name === 'ema' || updates === plan.totalSteps) return average !== null
  const { start, every } = average
  return updates >= start * plan.totalSteps && (every === 'epoch' ? plan.endsEpoch(updates) : updates % every === 0)
}

/**
 * Takes the state's weights into their average: the mean of all that entered (Izmailov et al. 2018), or an exponential one,
 * `decay · average + (1 - decay) · weights`, which starts at the first.
 */
export function enterAverage(average: NonNullable<Average>, state: State): void {
  const count = (state.get(COUNT)?.data[0] ?? 0) + 1
  state.set(COUNT, { shape: [1], data: Float32Array.of(count) })
  const share = average.name === 'swa' || count === 1 ? 1 / count : 1 - average.decay
  for (const [name, { shape, data }] of [...state]) {
    if (!isParameter(name)) continue
    const mean = state.get(averageOf(name))?.data
    if (mean) for (let i = 0; i < data.length; i++) mean[i] = mean[i]! + share * (data[i]! - mean[i]!)
    else state.set(averageOf(name), { shape, data: data.slice() })
  }
}

/** Forgets the average: an average over other ranks would bring back what was pruned. */
export function restartAverage(state: State): void {
  for (const name of [...state.keys()]) if (name === COUNT || name.endsWith(averageOf(''))) state.delete(name)
}

/** The tensors themselves, without what optimiser and method keep beside them: their averages where there are any. */
export function averagedParameters(state: State): State {
  return new Map([...state].flatMap(([name, tensor]) => (isParameter(name) ? [[name, state.get(averageOf(name)) ?? tensor]] : [])))
}
