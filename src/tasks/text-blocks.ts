import { type Item, modelTokens } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import { sourceOf, textColumns } from '../data/written-texts.ts'
import type { Source } from './task.ts'

/**
 * Texts one after another, cut into rows as long as rows may be, each with the special tokens of a single text; `end` follows every
 * text where it is given. A row is placed where its first token stands.
 */
export function textBlocks(rows: readonly Row[], source: Source, end: number | null): Item[] {
  const { reading } = source
  const columns = textColumns(rows, reading.columns)
  const { tokens, framed } = source.tokenizer()
  const room = Math.min(reading.maxLength, source.maxPositions) - framed([]).ids.length
  const items: Item[] = []
  let block: number[] = []
  let first: Row | null = null
  const close = (): void => {
    // A single token has nothing around it to be told by.
    if (first && block.length > 1) {
      const { file, line } = first
      const read = modelTokens(framed(block), first, source)
      items.push({ file, line, examples: [{ ...read, file, line, label: null }] })
    }
    block = []
    first = null
  }
  for (const row of rows) {
    const ids = tokens(sourceOf(row, columns))
    for (const id of end === null ? ids : [...ids, end]) {
      first ??= row
      block.push(id)
      if (block.length >= room) close()
    }
  }
  close()
  return items
}
