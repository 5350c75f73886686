import { type Item, modelTokens } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import { proseColumns, sourceOf } from '../data/written-texts.ts'
import { UserError } from '../errors.ts'
import type { Source } from './task.ts'

/** A single token has nothing around it to be told by. */
const FEWEST = 2

/**
 * Texts one after another, cut into rows as long as rows may be, each with the special tokens of a single text; `end` follows every
 * text where it is given. A row is placed where its first token stands. UserError where rows have no room for text.
 */
export function textBlocks(rows: readonly Row[], source: Source, end: number | null): Item[] {
  const { reading } = source
  const columns = proseColumns(rows, reading.columns)
  const { tokens, framed } = source.tokenizer()
  const most = Math.min(reading.maxLength, source.maxPositions)
  const special = framed([]).ids.length
  const room = most - special
  if (room < FEWEST)
    throw new UserError(`A length of ${most} tokens leaves no room for two of text beside ${special} special ones; raise maxLength.`)
  const items: Item[] = []
  let block: number[] = []
  let first: Row | null = null
  const close = (): void => {
    if (first && block.length >= FEWEST) {
      const { file, line } = first
      const read = modelTokens(framed(block), first, source)
      items.push({ file, line, examples: [{ ...read, file, line, label: null }] })
    }
    block = []
    first = null
  }
  for (const row of rows) {
    const ids = tokens(sourceOf(row, columns, source.reading.texts))
    for (const id of end === null ? ids : [...ids, end]) {
      first ??= row
      block.push(id)
      if (block.length >= room) close()
    }
  }
  close()
  return items
}
