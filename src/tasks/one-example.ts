import { type Example, examplesOf, type Item, type Label, type OwnRow, type TextEncoder } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import type { Columns } from '../data/reading.ts'
import type { LabelNames, Source, Task } from './task.ts'

/** The column that holds labels: the one that is named, else the first of `candidates` that the first row has. */
export function labelColumn(candidates: readonly string[], columns: Columns | null, rows: readonly Row[]): string {
  return columns?.label ?? candidates.find((name) => rows[0]?.values.has(name)) ?? candidates[0]!
}

export const labelColumns: readonly string[] = ['label', 'labels', 'score']

/** What a row of a task's own form is read by. */
export interface OwnReading {
  /** The text's column; null where the run names none. */
  readonly text: string | null
  readonly label: string
  /** The classes; null where labels are not looked at. */
  readonly names: LabelNames | null
  readonly maxLength: number
}

interface Ways {
  readonly labelColumns?: readonly string[]
  /** Reads texts in place of the model's tokenizer. */
  readonly encoder?: TextEncoder
  /** Reads rows of a form of the task's own; null for others. Without labels the label marks with 0 what is answered. */
  readonly own?: (row: Row, reading: OwnReading, source: Source) => OwnRow | null
  /** Throws UserError for an example that the head cannot take. */
  readonly check?: (example: Example) => void
}

/** Reads each row as one example, with the label that `label` finds. */
export function oneExample(
  label: (row: Row, column: string, names: LabelNames) => Label | null,
  { labelColumns: candidates = labelColumns, encoder, own, check }: Ways = {},
): Task['read'] {
  return (rows, source, names): Item[] => {
    const { reading, labelled, ...limits } = source
    const { columns } = reading
    const column = labelColumn(candidates, columns, rows)
    const maxLength = Math.min(reading.maxLength, source.maxPositions)
    const asOwn = { text: columns?.text ?? null, label: column, names: labelled ? names : null, maxLength }
    const examples = examplesOf(rows, {
      ...limits,
      columns,
      maxLength,
      ...(encoder && { tokenizer: () => encoder }),
      ...(own && { own: (row) => own(row, asOwn, source) }),
      // What a decoder is given is its label.
      label: (row) => (labelled || (source.decoder && row.values.has(column)) ? label(row, column, names) : null),
    })
    return examples.map((example) => {
      check?.(example)
      return { file: example.file, line: example.line, examples: [example] }
    })
  }
}
