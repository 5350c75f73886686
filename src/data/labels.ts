import { didYouMean, UserError } from '../errors.ts'
import { at, cellOf, type Row, shown } from './row.ts'

/** The classes of a task: a label's index is its place among the names. */
export interface LabelMap {
  readonly names: readonly string[]
}

const integer = /^-?\d+$/

/** The name a value stands for; UserError for anything but an integer, a string or a boolean. */
function nameOf(value: unknown, row: Row, column: string): string {
  if (typeof value === 'string' || typeof value === 'boolean' || Number.isInteger(value)) return String(value)
  throw new UserError(`${at(row)}: "${column}" is ${shown(value)}; a class label is an integer or a name. Fractions are regression labels.`)
}

/** The classes that occur in a column: integers by size, otherwise names by code unit. UserError for a row without label. */
export function discoverLabels(rows: readonly Row[], column: string): LabelMap {
  const names = [...new Set(rows.map((row) => nameOf(cellOf(row, column), row, column)))]
  const numeric = names.every((name) => integer.test(name))
  return { names: numeric ? names.sort((a, b) => Number(a) - Number(b)) : names.sort() }
}

/**
 * The index of a row's label: by name, or as an index where the names are no integers themselves.
 * UserError naming the known labels for any other value.
 */
export function labelIndex(map: LabelMap, value: unknown, row: Row, column: string): number {
  const name = nameOf(value, row, column)
  const index = map.names.indexOf(name)
  if (index >= 0) return index
  const indexed =
    integer.test(name) && Number(name) >= 0 && Number(name) < map.names.length && !map.names.some((known) => integer.test(known))
  if (indexed) return Number(name)
  const known = map.names.length > 20 ? `${map.names.slice(0, 20).join(', ')}, ...` : map.names.join(', ')
  throw new UserError(`${at(row)}: unknown label ${shown(value)} in "${column}"; the labels are ${known}.${didYouMean(name, map.names)}`)
}

/** A regression label: a finite number or its decimal form. */
export function numberLabel(value: unknown, row: Row, column: string): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(number)) return number
  throw new UserError(`${at(row)}: "${column}" is ${shown(value)}; a regression label is a finite number.`)
}

/** The labels of a row's tokens [tokens]: classes in 0 .. classes-1, or -100 for a token that does not count. */
export function tokenLabels(value: unknown, classes: number, row: Row, column: string): readonly number[] {
  if (!Array.isArray(value))
    throw new UserError(`${at(row)}: "${column}" is ${shown(value)}; expected an array, one label a token (.jsonl).`)
  const wrong = value.findIndex((label) => !(Number.isInteger(label) && (label === -100 || (label >= 0 && label < classes))))
  if (wrong < 0) return value
  throw new UserError(
    `${at(row)}: "${column}"[${wrong}] is ${shown(value[wrong])}; expected an integer from 0 to ${classes - 1}, or -100 (ignored).`,
  )
}

/** The labels of a row's words [words] by index, -100 for a word that does not count. UserError for another number of them. */
export function wordLabels(value: unknown, names: readonly string[], words: number, row: Row, column: string): readonly number[] {
  if (!Array.isArray(value) || value.length !== words)
    throw new UserError(
      `${at(row)}: "${column}" is ${shown(value)}; expected an array with a label for each of the ${words} words (.jsonl).`,
    )
  return value.map((label) => (label === -100 ? label : labelIndex({ names }, label, row, column)))
}

/** The token positions (from 0) at which an answer starts and ends, from the columns `start_positions` and `end_positions`. */
export function spanLabel(row: Row): { readonly start: number; readonly end: number } {
  const [start, end] = (['start_positions', 'end_positions'] as const).map((column) => {
    const value = cellOf(row, column)
    const position = typeof value === 'string' && integer.test(value) ? Number(value) : value
    if (typeof position === 'number' && Number.isInteger(position) && position >= 0) return position
    throw new UserError(`${at(row)}: "${column}" is ${shown(value)}; expected the number of a token, from 0.`)
  })
  if (end! < start!) throw new UserError(`${at(row)}: the span ends at token ${end}, before it starts at ${start}.`)
  return { start: start!, end: end! }
}
