import { UserError } from '../errors.ts'
import { at, type Row } from './row.ts'

/** The first so many rows of a file, or those from one number up to another, counted from 0. */
export type RowRange = number | readonly [number, number]

/** The rows of a range; all where there is none. Throws UserError where the file has fewer. */
export function rowsWithin(rows: Row[], range: RowRange | undefined, setting: string): Row[] {
  if (range === undefined) return rows
  const [from, to] = typeof range === 'number' ? [0, range] : range
  if (from >= to) throw new UserError(`${setting}: [${from}, ${to}] holds no row; the second number must be above the first.`)
  if (to > rows.length) {
    const file = rows[0] ? at(rows[0]).replace(/:\d+$/, '') : 'the file'
    throw new UserError(`${setting}: ${file} has ${rows.length} rows, and row ${to} is asked for; give smaller numbers.`)
  }
  return rows.slice(from, to)
}
