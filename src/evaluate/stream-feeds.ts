import type { Batch } from '../data/pack.ts'
import type { Feeds } from '../runtime/session.ts'

/** A packed batch as the inputs that every network declares, those of its decoder under `decoder`. */
export function streamFeeds(batch: Batch): Feeds {
  const { rows, tokens, length, decoder } = batch
  const own: Feeds = {
    ids: { data: batch.ids, shape: [tokens] },
    types: { data: batch.types, shape: [tokens] },
    positions: { data: batch.positions, shape: [tokens] },
    rowStart: { data: batch.rowStart, shape: [rows] },
    rowEnd: { data: batch.rowEnd, shape: [rows] },
    columns: { data: Int32Array.from({ length }, (_, i) => i), shape: [length] },
    unpack: { data: batch.unpack, shape: [rows, length] },
    repack: { data: batch.repack, shape: [tokens] },
    keyMask: { data: batch.keyMask, shape: [rows, length] },
    slotMask: { data: batch.slotMask, shape: [rows, length] },
  }
  return decoder ? { ...own, ...decoderFeeds(decoder) } : own
}

/** A packed batch as the inputs of the stream `decoder`. */
export const decoderFeeds = (batch: Batch): Feeds =>
  Object.fromEntries(Object.entries(streamFeeds(batch)).map(([name, feed]) => [`decoder.${name}`, feed]))

/** The named sizes of a batch. */
export const batchSizes = ({ rows, tokens, length, decoder }: Batch): Readonly<Record<string, number>> => ({
  rows,
  tokens,
  length,
  ...(decoder && { decoderTokens: decoder.tokens, decoderLength: decoder.length }),
})

/** The named sizes of rows of equal length, a decoder's too, of which every token is asked for a word and every row is a choice. */
export const evenSizes = (rows: number, length: number): Readonly<Record<string, number>> => {
  const tokens = rows * length
  return { rows, tokens, length, decoderTokens: tokens, decoderLength: length, places: tokens, questions: 1, choices: rows }
}
