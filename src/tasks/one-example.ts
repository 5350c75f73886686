import { examplesOf, type Item, type Label } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import type { Columns } from '../data/reading.ts'
import type { LabelNames, Task } from './task.ts'

/** The column that holds labels: the one that is named, else the first of `candidates` that the first row has. */
export function labelColumn(candidates: readonly string[], columns: Columns | null, rows: readonly Row[]): string {
  return columns?.label ?? candidates.find((name) => rows[0]?.values.has(name)) ?? candidates[0]!
}

export const labelColumns: readonly string[] = ['label', 'labels', 'score']

/** Reads each row as one example, with the label that `label` finds. */
export function oneExample(label: (row: Row, column: string, names: LabelNames) => Label): Task['read'] {
  return (rows, { reading, labelled, ...source }, names): Item[] => {
    const column = labelColumn(labelColumns, reading.columns, rows)
    const { columns, maxLength } = reading
    const found = (row: Row): Label | null => (labelled || source.decoder ? label(row, column, names) : null)
    return examplesOf(rows, { ...source, columns, maxLength, label: found }).map((example) => ({
      file: example.file,
      line: example.line,
      examples: [example],
    }))
  }
}
