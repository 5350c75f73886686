import { UserError } from '../errors.ts'
import { lines } from './lines.ts'
import type { Row } from './row.ts'
import { shown } from './row.ts'
import { textChunks } from './text-chunks.ts'

function objectOf(text: string, place: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UserError(`${place}: not JSON (${(error as Error).message}). Each line must hold one JSON object.`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new UserError(`${place}: ${shown(value)} is no JSON object. Each line must look like {"text": "...", "label": 1}.`)
}

/** The rows of a JSON Lines file, one object a line; empty lines are skipped. UserError with file and line for any other line. */
export async function* jsonlRows(file: string): AsyncGenerator<Row> {
  let line = 0
  for await (const text of lines(textChunks(file))) {
    line++
    if (text.trim() !== '') yield { values: new Map(Object.entries(objectOf(text, `${file}:${line}`))), file, line }
  }
}

/** Rows as JSON Lines. */
export const jsonLines = (rows: readonly Row[]): string =>
  rows.map(({ values }) => `${JSON.stringify(Object.fromEntries(values))}\n`).join('')
