import type { Prepared } from './prepare.ts'

/** What is told of training rows before they are trained on. */
export interface RowCounts {
  /** Rows by class, where each has one. */
  readonly classes?: Readonly<Record<string, number>>
  /** Rows whose text was cut, and the tokens that the longest of them has left; absent where there are none. */
  readonly cut?: { readonly rows: number; readonly tokens: number }
}

export function rowCounts({ open: { task, labels }, examples }: Pick<Prepared, 'open' | 'examples'>): RowCounts {
  const counts = labels.map(() => 0)
  if (task.classOf) for (const { label } of examples) counts[label as number]!++
  const cut = examples.filter(({ cut, others = [] }) => cut || others.some((other) => other.cut))
  return {
    ...(task.classOf && { classes: Object.fromEntries(labels.map((name, i) => [name, counts[i]!])) }),
    ...(cut.length > 0 && { cut: { rows: cut.length, tokens: cut.reduce((most, { ids }) => Math.max(most, ids.length), 0) } }),
  }
}
