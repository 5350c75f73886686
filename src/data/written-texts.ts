import { UserError } from '../errors.ts'
import type { Columns, Texts } from './reading.ts'
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

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== ''
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.length > 0 && value.every(isText)
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])

const notTexts = (row: Row, column: string, expected: string): UserError =>
  new UserError(`${at(row)}: "${column}" is ${shown(cellOf(row, column))}; expected ${expected}.`)

/** What stands between the fields of an entry that is one text, as data sets of triples write them. */
const FIELDS = ' | '

/** What is read of a row: a text, or the entries of a list, such as triples, one after another, each a text or a list of its fields. */
export function sourceOf(row: Row, { source }: TextColumns, { entries, fields }: Pick<Texts, 'entries' | 'fields'>): string {
  const given = cellOf(row, source)
  if (isText(given)) return given
  const list = listOf(given)
  if (list.length > 0 && list.every((entry): entry is string | string[] => isText(entry) || isTexts(entry)))
    return list.map((entry) => (isText(entry) ? entry.split(FIELDS) : entry).join(fields)).join(entries)
  throw notTexts(row, source, 'a text, or a list of texts or of lists of texts that are not empty')
}

/** What may be written for a row: a text, or several that are all right. */
export const referencesOf = (row: Row, { target }: TextColumns): string[] => {
  if (target !== null) {
    const texts = listOf(cellOf(row, target))
    if (isTexts(texts)) return texts
    throw notTexts(row, target, 'a text, or a list of texts that are not empty')
  }
  throw new UserError(`${at(row)}: no column that looks like a reference; the row has ${columnsOf(row)}. Name it: data.columns.label.`)
}
