import { didYouMean, UserError } from '../errors.ts'

/** Where a row came from: the file as the user named it, and the line (from 1) on which the row starts; in a .json file the row's number. */
export interface Place {
  readonly file: string
  readonly line: number
}

/** One record of a data file: values by column name, in the file's order. */
export interface Row extends Place {
  readonly values: ReadonlyMap<string, unknown>
}

/** `file:line`, as every message about a row starts. */
export function at({ file, line }: Place): string {
  return `${file}:${line}`
}

/** The value as a message shows it: JSON, cut after 60 characters. */
export function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value)
  return json.length > 60 ? `${json.slice(0, 60)}...` : json
}

/** `columns "a", "b", "c"`, or what there is instead. */
export function columnsOf(row: Row): string {
  return row.values.size ? `columns ${[...row.values.keys()].map((name) => JSON.stringify(name)).join(', ')}` : 'no columns'
}

/** How columns are named where their own names do not tell. */
export const NAMING = 'Name columns by data.columns in a run file, else by --text-column, --label-column and so on'

/** A row lacks a column. */
export const noColumn = (row: Row, column: string): UserError =>
  new UserError(`${at(row)}: no column "${column}"; the row has ${columnsOf(row)}.${didYouMean(column, row.values.keys())} ${NAMING}.`)

/** The value of a column; UserError where the row has none (absent, null or an empty string). */
export function cellOf(row: Row, column: string): unknown {
  const value = row.values.get(column)
  if (value !== undefined && value !== null && value !== '') return value
  if (row.values.has(column)) throw new UserError(`${at(row)}: column "${column}" is empty. Fill it in or leave the row out.`)
  throw noColumn(row, column)
}
