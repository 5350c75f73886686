import type { Batch } from '../data/pack.ts'
import type { Feeds } from '../runtime/session.ts'

/** A packed batch as the inputs that every network declares. */
export function streamFeeds(batch: Batch): Feeds {
  const { rows, tokens, length } = batch
  return {
    ids: { data: batch.ids, shape: [tokens] },
    types: { data: batch.types, shape: [tokens] },
    positions: { data: batch.positions, shape: [tokens] },
    rowStart: { data: batch.rowStart, shape: [rows] },
    unpack: { data: batch.unpack, shape: [rows, length] },
    repack: { data: batch.repack, shape: [tokens] },
    keyMask: { data: batch.keyMask, shape: [rows, length] },
    slotMask: { data: batch.slotMask, shape: [rows, length] },
  }
}
