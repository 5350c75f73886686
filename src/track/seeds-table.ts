import type { SeedsSummary } from '../train/run-summary.ts'
import type { MetricText } from './metric-text.ts'
import { table } from './table.ts'

/** The metrics of every seed, their mean and deviation, for the end of a run's output. */
export function seedsTable({ bySeed, mean, deviation }: SeedsSummary, text: MetricText): string {
  const names = Object.keys(mean)
  const line = (name: string, values: Readonly<Record<string, number>>): string[] => [
    name,
    ...names.map((each) => text(each, values[each]!)),
  ]
  return table([
    ['seed', ...names],
    ...bySeed.map(({ seed, metrics }) => line(String(seed), metrics)),
    line('mean', mean),
    line('deviation', deviation),
  ])
}
