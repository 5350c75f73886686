import { mean } from '../metrics/moments.ts'
import type { Task } from './task.ts'

type Scores = Readonly<Record<string, number>>

/** What a set's own score is called; losses are told of all sets alone. */
const ownNames = (set: string, names: readonly string[]): (readonly [name: string, own: string])[] =>
  names.filter((name) => name !== 'loss').map((name) => [name, `${set} ${name}`] as const)

/** Names of metrics, and those that each of these sets of rows has by itself. */
export const namesBySet = (names: readonly string[], sets: readonly string[]): string[] => [
  ...names,
  ...new Set(sets.flatMap((set) => ownNames(set, names).map(([, own]) => own))),
]

/**
 * The task with rows of several files scored file by file: each metric is the mean over the files, as GLUE tells MNLI, and is there for
 * each under `<name> <metric>`. Rows of other files are scored as ever.
 */
export function scoredByFile(task: Task, files: readonly (readonly [name: string, file: string])[]): Task {
  if (files.length === 0) return task
  const { metricNames } = task
  return {
    ...task,
    metricNames: namesBySet(
      metricNames,
      files.map(([name]) => name),
    ),
    metrics(answered, labels) {
      const sets = files.flatMap(([name, file]): (readonly [string, Scores])[] => {
        const own = answered.filter(({ item }) => item.file === file)
        return own.length === 0 ? [] : [[name, task.metrics(own, labels)]]
      })
      if (sets.length === 0) return task.metrics(answered, labels)
      const common = Object.keys(sets[0]![1]).filter((name) => sets.every(([, scores]) => name in scores))
      const means = common.map((name) => [name, mean(sets.map(([, scores]) => scores[name]!))])
      const each = sets.flatMap(([set, scores]) =>
        ownNames(set, metricNames).flatMap(([name, own]) => (name in scores ? [[own, scores[name]]] : [])),
      )
      return Object.fromEntries([...means, ...each])
    },
  }
}
