import type { Item } from '../data/examples.ts'
import { grouped } from '../grouped.ts'
import { mean } from '../metrics/moments.ts'
import { ofSet } from './metric-name.ts'
import type { Task } from './task.ts'

/** The metrics that each set has by itself; losses are told of all sets alone. */
const ownMetrics = (names: readonly string[]): string[] => names.filter((name) => name !== 'loss')

/** Names of metrics, and those that each of these sets of rows has by itself. */
export const namesBySet = (names: readonly string[], sets: readonly string[]): string[] => [
  ...names,
  ...sets.flatMap((set) => ownMetrics(names).map((name) => ofSet(set, name))),
]

/** Items as those of a set that has scores of its own; null: of none. */
export const inSet = <Own extends Item>(items: readonly Own[], set: string | null): readonly Own[] =>
  set === null ? items : items.map((item) => ({ ...item, set }))

/**
 * The task with items of several sets scored set by set: each metric is the mean over the sets, as GLUE tells MNLI, and is there for each
 * under `<set> <metric>`. Items of no set are scored as ever. `sets` are those of the evaluation, whose metrics the task can be asked for.
 */
export function scoredBySet(task: Task, sets: readonly string[]): Task {
  const { metricNames } = task
  return {
    ...task,
    metricNames: namesBySet(metricNames, sets),
    metrics(answered, labels) {
      const scores = [...grouped(answered, ({ item }) => item.set)].map(([set, own]) => [set, task.metrics(own, labels)] as const)
      const common = Object.keys(scores[0]![1]).filter((name) => scores.every(([, own]) => name in own))
      const means = common.map((name) => [name, mean(scores.map(([, own]) => own[name]!))])
      const each = scores.flatMap(([set, own]) =>
        set === undefined ? [] : ownMetrics(metricNames).flatMap((name) => (name in own ? [[ofSet(set, name), own[name]]] : [])),
      )
      return Object.fromEntries([...means, ...each])
    },
  }
}
