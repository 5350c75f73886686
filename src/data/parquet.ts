import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { UserError } from '../errors.ts'
import { fileFault } from '../file-faults.ts'
import type { Row } from './row.ts'

/** What a row group may take in memory. */
const MOST_BYTES = 2 ** 31

/** A value as JSON would have it: whole numbers that a number cannot hold, and times, are text. */
function asJson(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value !== 'object') return value
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(asJson)
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>, asJson)
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asJson(part)]))
}

/** The rows [start, end) of each row group. */
function groupsOf({ row_groups }: FileMetaData, file: string): { readonly rowStart: number; readonly rowEnd: number }[] {
  let rowEnd = 0
  return row_groups.map(({ num_rows, total_byte_size }, i) => {
    if (total_byte_size > MOST_BYTES) {
      throw new UserError(
        `${file}: row group ${i + 1} has ${total_byte_size} bytes, more than ${MOST_BYTES} at once; write the file with smaller row groups.`,
      )
    }
    const rowStart = rowEnd
    rowEnd += Number(num_rows)
    return { rowStart, rowEnd }
  })
}

/**
 * The rows of a .parquet file, a row group at a time, with the values that JSON would give; their lines are their numbers. UserError for a
 * file that is missing, torn or of another kind.
 */
export async function* parquetRows(file: string): AsyncGenerator<Row> {
  if (file.toLowerCase().endsWith('.gz'))
    throw new UserError(`${file}: parquet files are compressed within; unzip it first, for example with gunzip.`)
  const read = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action()
    } catch (error) {
      const torn = new UserError(`${file}: not a whole parquet file (${(error as Error).message}). Download or write it again.`)
      throw fileFault(error, file) ?? torn
    }
  }
  const source = await read(() => asyncBufferFromFile(file))
  const metadata = await read(() => parquetMetadataAsync(source))
  for (const { rowStart, rowEnd } of groupsOf(metadata, file)) {
    const rows = await read(() => parquetReadObjects({ file: source, metadata, rowStart, rowEnd, compressors }))
    for (const [i, row] of rows.entries()) {
      yield { values: new Map(Object.entries(row).map(([name, value]) => [name, asJson(value)])), file, line: rowStart + i + 1 }
    }
  }
}
