import { UserError } from '../errors.ts'
import { asked, conversationColumn, conversationIn } from './conversations.ts'
import type { Columns, Texts } from './reading.ts'
import { at, cellOf, columnsOf, NAMING, type Row, shown } from './row.ts'

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
  /** Whether what is read are conversations, whose last answer is what is written. */
  readonly conversations?: true
}

const first = (row: Row, names: readonly string[]): string | null => names.find((name) => row.values.has(name)) ?? null

/** The columns that are named, else those whose names tell. UserError where no column looks like a text. */
export function textColumns(rows: readonly Row[], columns: Columns | null): TextColumns {
  const [row] = rows
  const talk = conversationColumn(rows, columns?.text)
  if (talk !== null) return { source: talk, target: null, conversations: true }
  const source = columns?.text ?? (row && first(row, sources))
  if (!row || !source) {
    throw new UserError(
      row
        ? `${at(row)}: no column that looks like text; the row has ${columnsOf(row)}. ${NAMING}.`
        : 'There are no rows to read texts from.',
    )
  }
  return { source, target: columns?.label ?? first(row, targets) }
}

/** The same for those who read no conversations. */
export function proseColumns(rows: readonly Row[], columns: Columns | null): TextColumns {
  const found = textColumns(rows, columns)
  if (!found.conversations) return found
  throw new UserError(
    `${at(rows[0]!)}: "${found.source}" holds conversations, which are for models that go on with a text; take the task causal-lm.`,
  )
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== ''
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.length > 0 && value.every(isText)
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])

const notTexts = (row: Row, column: string, expected: string): UserError =>
  new UserError(`${at(row)}: "${column}" is ${shown(cellOf(row, column))}; expected ${expected}.`)

/** What stands between the fields of an entry that is one text, as data sets of triples write them. */
const FIELDS = ' | '

/**
 * What is read of a row: a text, or the entries of a list, such as triples, one after another, each a text or a list of its fields; of a
 * conversation its messages as JSON.
 */
export function sourceOf(row: Row, { source, conversations }: TextColumns, { entries, fields }: Pick<Texts, 'entries' | 'fields'>): string {
  if (conversations) return JSON.stringify(asked(conversationIn(row, source)).messages)
  const given = cellOf(row, source)
  if (isText(given)) return given
  const list = listOf(given)
  if (list.length > 0 && list.every((entry): entry is string | string[] => isText(entry) || isTexts(entry)))
    return list.map((entry) => (isText(entry) ? entry.split(FIELDS) : entry).join(fields)).join(entries)
  throw notTexts(row, source, 'a text, or a list of texts or of lists of texts that are not empty')
}

/** What may be written for a row: a text, or several that are all right. */
export const referencesOf = (row: Row, { source, target, conversations }: TextColumns): string[] => {
  const answer = conversations ? asked(conversationIn(row, source)).answer : null
  if (answer !== null) return [answer]
  if (target !== null) {
    const texts = listOf(cellOf(row, target))
    if (isTexts(texts)) return texts
    throw notTexts(row, target, 'a text, or a list of texts that are not empty')
  }
  const lacks = conversations ? 'the conversation does not end with an answer' : 'no column that looks like a reference'
  throw new UserError(`${at(row)}: ${lacks}; the row has ${columnsOf(row)}. Name the column of references: data.columns.label.`)
}
