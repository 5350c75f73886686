import type { Published, PublishedResult } from '../config/published.ts'
import type { MetricText } from './metric-text.ts'
import { table } from './table.ts'

interface Shown {
  readonly result: PublishedResult
  /** Whether the run has its settings. */
  readonly own: boolean
}

/** Results that a paper published; with what was `measured`, beside it. */
export function publishedTable(
  published: Published,
  shown: readonly Shown[],
  measured: Readonly<Record<string, number>> | null,
  text: MetricText,
): string {
  const names = [...new Set(shown.flatMap(({ result }) => Object.keys(result.values)))]
  const cell = ({ values, deviations }: PublishedResult, name: string): string => {
    if (values[name] === undefined) return ''
    return deviations[name] === undefined ? String(values[name]) : `${values[name]} ± ${deviations[name]}`
  }
  const here = (name: string): string => (measured?.[name] === undefined ? '' : text(name, measured[name]))
  const rows = shown.map(({ result, own }) => [
    result.method,
    result.budget ?? '',
    ...names.map((name) => cell(result, name)),
    ...(result.table === null ? [''] : [`table ${result.table}`]),
    ...(measured === null && own ? ['this run'] : []),
  ])
  const lines = table([['published', 'budget', ...names], ...rows, ...(measured === null ? [] : [['this run', '', ...names.map(here)]])], {
    align: ['left', 'right', ...names.map(() => 'right' as const), 'left', 'left'],
  })
  const seeds = published.seeds === null ? '' : `, ${published.seeds} seeds`
  const note = published.note === null ? '' : `note: ${published.note.trim()}\n`
  return `${lines}${published.paper}${seeds}\n${note}`
}
