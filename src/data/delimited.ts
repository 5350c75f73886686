import { pipeline, Readable } from 'node:stream'
import { CsvError, type Info, parse } from 'csv-parse'
import { UserError } from '../errors.ts'
import type { Row } from './row.ts'
import { textChunks } from './text-chunks.ts'

function namesOf(header: readonly string[], file: string): readonly string[] {
  const twice = header.find((name, i) => header.indexOf(name) !== i)
  if (twice !== undefined) throw new UserError(`${file}: the header names column "${twice}" twice. Rename one.`)
  return header
}

/** The chunks of a text, the first of which holds its first line. */
async function* fromFirstLine(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let head = ''
  let whole = false
  for await (const chunk of chunks) {
    head += chunk
    whole ||= head.trimStart().includes('\n')
    if (!whole) continue
    yield head
    head = ''
  }
  if (head !== '') yield head
}

/** What separates the columns of a header line: commas, or where it has none semicolons or tabs, as spreadsheets write them. */
function separatorOf(text: string): string {
  const [line] = text.trimStart().split('\n')
  const bare = line!.replace(/"[^"]*"/g, '')
  return [',', ';', '\t'].find((separator) => bare.includes(separator)) ?? ','
}

/**
 * The rows of a table with a header line: `,` follows RFC 4180 with quotes, and with semicolons or tabs where the header has no comma; a
 * tab-separated file has no quotes (a quote is text, as in GLUE). All values are strings; empty lines are skipped. UserError with file and line for a record with another number of columns.
 */
export async function* delimitedRows(file: string, delimiter: ',' | '\t'): AsyncGenerator<Row> {
  // csv-parse's own line number counts a \r\n inside quotes twice.
  let linesRead = 0
  const starts: number[] = []
  function count(record: string[], { empty_lines }: Info): string[] {
    starts.push(linesRead + empty_lines + 1)
    linesRead += record.join('').split('\n').length
    return record
  }
  const chunks = fromFirstLine(textChunks(file))
  const head = await chunks.next()
  const text = (async function* () {
    if (!head.done) yield head.value
    yield* chunks
  })()
  const parser = parse({
    delimiter: delimiter === ',' && !head.done ? separatorOf(head.value) : delimiter,
    quote: delimiter === ',' ? '"' : false,
    record_delimiter: ['\r\n', '\n'],
    skip_empty_lines: true,
    relax_column_count: true,
    on_record: count,
  })
  const records = pipeline(Readable.from(text, { objectMode: false }), parser, () => {})
  let names: readonly string[] | null = null
  try {
    for await (const record of records as AsyncIterable<string[]>) {
      const line = starts.shift()!
      if (names === null) {
        names = namesOf(record, file)
      } else if (record.length !== names.length) {
        throw new UserError(`${file}:${line}: ${record.length} columns, but the header has ${names.length} (${names.join(', ')}).`)
      } else {
        yield { values: new Map(names.map((name, i) => [name, record[i]])), file, line }
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const line = linesRead + parser.info.empty_lines + 1
    throw new UserError(`${file}:${line}: ${error.message.replace(/ at line \d+/, '')}. Double the quotes inside a quoted value.`)
  }
}
