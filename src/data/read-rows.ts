import { UserError } from '../errors.ts'
import { jsonRows } from './json.ts'
import { jsonlRows } from './jsonl.ts'
import { textRows } from './plain-text.ts'
import type { Row } from './row.ts'

export type { Row } from './row.ts'

async function* delimited(file: string, delimiter: ',' | '\t'): AsyncIterable<Row> {
  const { delimitedRows } = await import('./delimited.ts')
  yield* delimitedRows(file, delimiter)
}

async function* parquet(file: string): AsyncIterable<Row> {
  const { parquetRows } = await import('./parquet.ts')
  yield* parquetRows(file)
}

/** Those of tables load a library, which most runs do without. */
const readers = new Map<string, (file: string) => AsyncIterable<Row>>([
  ['.jsonl', jsonlRows],
  ['.ndjson', jsonlRows],
  ['.csv', (file) => delimited(file, ',')],
  ['.tsv', (file) => delimited(file, '\t')],
  ['.txt', textRows],
  ['.json', jsonRows],
  ['.parquet', parquet],
])

function readerOf(file: string): (file: string) => AsyncIterable<Row> {
  const name = file.toLowerCase().replace(/\.gz$/, '')
  for (const [ending, reader] of readers) if (name.endsWith(ending)) return reader
  throw new UserError(
    `${file}: unknown kind of data file. Known endings: ${[...readers.keys()].join(', ')}, all but parquet also with .gz.`,
  )
}

/**
 * All rows of a .jsonl, .ndjson, .csv, .tsv, .txt or .json file, also gzipped, or of a .parquet file; a relative path starts at the working directory.
 * UserError, with file and line, for a file that is missing, torn, malformed, of another kind, or without rows.
 */
export async function readRows(file: string): Promise<Row[]> {
  const rows: Row[] = []
  for await (const row of readerOf(file)(file)) rows.push(row)
  if (rows.length === 0)
    throw new UserError(`${file}: no rows. Expected at least one${/\.[ct]sv/i.test(file) ? ' below the header line' : ''}.`)
  return rows
}
