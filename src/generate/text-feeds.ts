import type { Example } from '../data/examples.ts'
import { type Batch, maskedKey, pack } from '../data/pack.ts'
import { streamFeeds } from '../evaluate/stream-feeds.ts'
import type { Feeds } from '../runtime/session.ts'

/** The rows of a batch again, in this order; its tokens stay as they are. */
function chosenRows(batch: Batch, rows: readonly number[]): Batch {
  const { length } = batch
  const table = <A extends Int32Array | Float32Array>(from: A, width: number): A => {
    const made = new (from.constructor as new (size: number) => A)(rows.length * width)
    rows.forEach((row, i) => {
      made.set(from.subarray(row * width, (row + 1) * width), i * width)
    })
    return made
  }
  return {
    ...batch,
    rows: rows.length,
    rowStart: table(batch.rowStart, 1),
    rowEnd: table(batch.rowEnd, 1),
    unpack: table(batch.unpack, length),
    keyMask: table(batch.keyMask, length),
    slotMask: table(batch.slotMask, length),
  }
}

/** A text so far: its ids, and the cache's slots of its tokens. */
export interface Text {
  readonly ids: readonly number[]
  readonly slots: readonly number[]
  /** The row of the text that it answers. */
  readonly source: number
}

/** The tokens of a row that may be attended. */
export const tokensOf = ({ ids, mask }: Example): number[] => [...ids].filter((_, i) => mask[i] === 1)

/** New tokens of each row, with the positions that they have. */
export function packed(news: readonly (readonly number[])[], positionsOf: (row: number) => Int32Array): Batch {
  let row = 0
  return pack(
    news.map((ids) => ({
      ids: Int32Array.from(ids),
      types: new Int32Array(ids.length),
      mask: new Uint8Array(ids.length).fill(1),
      label: null,
      file: '',
      line: 0,
    })),
    () => positionsOf(row++),
  )
}

/** Feeds of the texts that are answered, one for each text that is written. */
export function readFeeds({ decoder: _written, ...read }: Batch, texts: readonly Text[]): Feeds {
  const rows = texts.map(({ source }) => source)
  return streamFeeds(chosenRows(read, rows))
}

/** Feeds of each row's past, the last token in the last column; slot 0, masked, where a row has none, and before all if no row has any. */
export function pastFeeds(texts: readonly Text[], longest: number): Feeds {
  const past = Math.max(1, longest)
  const index = new Int32Array(texts.length * past)
  const mask = new Float32Array(index.length)
  texts.forEach(({ slots }, row) => {
    const [end, start] = [(row + 1) * past, (row + 1) * past - slots.length]
    index.set(slots, start)
    mask.fill(maskedKey, end - past, start)
  })
  return {
    past: { data: index, shape: [texts.length, past] },
    'past.mask': { data: mask, shape: [texts.length, past] },
    'past.columns': { data: Int32Array.from({ length: past }, (_, i) => i + longest - past), shape: [past] },
    'past.first': { data: Int32Array.from(texts, ({ slots }) => longest - slots.length), shape: [texts.length] },
  }
}
