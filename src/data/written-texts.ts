import { UserError } from '../errors.ts'
import type { Columns } from './reading.ts'
import { at, cellOf, columnsOf, type Row, shown } from './row.ts'

/** Columns that hold what is read and what is written, as data sets of their kind name them. */
const sources = [
  'text',
  'source',
  'document',
  'article',
  'dialogue',
  'prompt',
  'instruction',
  'mr',
  'triples',
  'input',
  'question',
  'sentence',
]
const targets = ['target', 'summary', 'highlights', 'completion', 'response', 'output', 'ref', 'refs', 'references']

/** Which columns of some rows are read and written; `target` is null where there is nothing but a text. */
export interface TextColumns {
  readonly source: string
  readonly target: string | null
}

const first = (row: Row, names: readonly string[]): string | null => names.find((name) => row.values.has(name)) ?? null

/** The columns that are named, else those whose names tell. UserError where no column looks like a text. */
export function textColumns(rows: readonly Row[], columns: Columns | null): TextColumns {
  const [row] = rows
  const source = columns?.text ?? (row && first(row, sources))
  if (!row || !source) {
    throw new UserError(
      row
        ? `${at(row)}: no column that looks like text; the row has ${columnsOf(row)}. Name it: data.columns.text.`
        : 'There are no rows to read texts from.',
    )
  }
  return { source, target: columns?.label ?? first(row, targets) }
}

/** The texts of a cell that holds one or a list of them. */
function textsIn(row: Row, column: string): string[] {
  const value = cellOf(row, column)
  const texts = Array.isArray(value) ? value : [value]
  if (texts.length > 0 && texts.every((text): text is string => typeof text === 'string' && text.trim() !== '')) return texts
  throw new UserError(`${at(row)}: "${column}" is ${shown(value)}; expected a text, or a list of texts that are not empty.`)
}

/** What is read of a row; the entries of a list, such as triples, stand one after another. */
export const sourceOf = (row: Row, { source }: TextColumns): string => textsIn(row, source).join(' && ')

/** What may be written for a row: a text, or several that are all right. */
export const referencesOf = (row: Row, { target }: TextColumns): string[] => {
  if (target !== null) return textsIn(row, target)
  throw new UserError(`${at(row)}: no column that looks like a reference; the row has ${columnsOf(row)}. Name it: data.columns.label.`)
}
