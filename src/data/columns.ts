import { UserError } from '../errors.ts'
import type { Columns } from './reading.ts'
import { at, columnsOf, NAMING, type Row } from './row.ts'

/** The columns of a text and of its pair. */
export type PairColumns = Pick<Columns, 'text' | 'pair'>

/** Columns that belong together, as GLUE, SQuAD and their kin name them. */
const pairs: readonly (readonly [string, string])[] = [
  ['sentence1', 'sentence2'],
  ['question1', 'question2'],
  ['premise', 'hypothesis'],
  ['question', 'sentence'],
  ['question', 'context'],
  ['question', 'passage'],
  ['text1', 'text2'],
  ['text', 'text_pair'],
]
const singles = ['text', 'sentence', 'sentence1', 'question', 'premise', 'document', 'content', 'review']

/** The columns of a row that by their names hold text; UserError with the columns there are where none does. */
export function guessColumns(row: Row): PairColumns {
  const pair = pairs.find(([first, second]) => row.values.has(first) && row.values.has(second))
  if (pair) return { text: pair[0], pair: pair[1] }
  const text = singles.find((name) => row.values.has(name))
  if (text !== undefined) return { text, pair: null }
  throw new UserError(`${at(row)}: no column that looks like text; the row has ${columnsOf(row)}. ${NAMING}, or give "input_ids".`)
}
