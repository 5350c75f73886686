import { lines } from './lines.ts'
import type { Row } from './row.ts'
import { textChunks } from './text-chunks.ts'

/** The lines of a text file that are not empty, each a row with the column `text`. */
export async function* textRows(file: string): AsyncGenerator<Row> {
  let line = 0
  for await (const text of lines(textChunks(file))) {
    line++
    if (text.trim() !== '') yield { values: new Map([['text', text.trim()]]), file, line }
  }
}
