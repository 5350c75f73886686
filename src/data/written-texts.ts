import { UserError } from '../errors.ts'
import { asked, conversationColumn, conversationIn } from './conversations.ts'
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
        ? `${at(row)}: no column that looks like text; the row has ${columnsOf(row)}. Name it: data.columns.text.`
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

/** The texts of a cell that holds one or a list of them. */
function textsIn(row: Row, column: string): string[] {
  const value = cellOf(row, column)
  const texts = Array.isArray(value) ? value : [value]
  if (texts.length > 0 && texts.every((text): text is string => typeof text === 'string' && text.trim() !== '')) return texts
  throw new UserError(`${at(row)}: "${column}" is ${shown(value)}; expected a text, or a list of texts that are not empty.`)
}

/** What is read of a row; the entries of a list, such as triples, stand one after another, and a conversation is its messages as JSON. */
export const sourceOf = (row: Row, { source, conversations }: TextColumns): string =>
  conversations ? JSON.stringify(asked(conversationIn(row, source)).messages) : textsIn(row, source).join(' && ')

/** What may be written for a row: a text, or several that are all right. */
export const referencesOf = (row: Row, { source, target, conversations }: TextColumns): string[] => {
  const answer = conversations ? asked(conversationIn(row, source)).answer : null
  if (answer !== null) return [answer]
  if (target !== null) return textsIn(row, target)
  const lacks = conversations ? 'the conversation does not end with an answer' : 'no column that looks like a reference'
  throw new UserError(`${at(row)}: ${lacks}; the row has ${columnsOf(row)}. Name the column of references: data.columns.label.`)
}
