import type { Columns } from '../data/reading.ts'
import type { Row } from '../data/row.ts'
import { referencesOf, sourceOf, textColumns } from '../data/written-texts.ts'

/** A text to answer, with all rows that ask for it. */
export interface AskedText {
  /** The first of them, and the numbers of all. */
  readonly row: Row
  readonly rows: readonly number[]
  /** What the rows have as answers. */
  readonly references: readonly string[]
}

/** Texts are only told apart here. */
const together = { entries: '\n', fields: '\t' }

/**
 * Rows of one text are one example: its references are those of all of them, none where `referenced` is false.
 * @throws UserError where no column looks like a text, or references are asked for and a row has none
 */
export function askedTexts(rows: readonly Row[], columns: Columns | null, referenced: boolean): AskedText[] {
  const own = textColumns(rows, columns)
  const asked = new Map<string, { row: Row; rows: number[]; references: string[] }>()
  for (const [i, row] of rows.entries()) {
    const text = sourceOf(row, own, together)
    const known = asked.get(text) ?? { row, rows: [], references: [] }
    known.rows.push(i)
    if (referenced) known.references.push(...referencesOf(row, own))
    asked.set(text, known)
  }
  return [...asked.values()]
}
