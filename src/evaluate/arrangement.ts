import type { Example } from '../data/examples.ts'
import { type Batch, pack } from '../data/pack.ts'
import { virtualRow } from '../data/virtual-rows.ts'
import { UserError } from '../errors.ts'
import type { Method } from '../nn/method.ts'
import type { Subject } from './assembly.ts'

/** How rows become a batch under a method that puts virtual tokens before them or moves their positions. */
export interface Arrangement {
  /** Virtual tokens of each row. */
  readonly virtualTokens: number
  /** Positions that a row may not use. */
  readonly reserved: number
  /** Positions of a row that is written. */
  positions(ids: Int32Array): Int32Array
  /** The rows with their virtual tokens. */
  rows(examples: readonly Example[]): readonly Example[]
  /** Packs such rows, `copies` times. */
  batch(rows: readonly Example[], copies?: number): Batch
}

export function arrangement({ model }: Pick<Subject, 'model'>, { sequence }: Pick<Method, 'sequence'>): Arrangement {
  const { virtualTokens, positionShift } = sequence ?? { virtualTokens: 0, positionShift: 0 }
  const { positions, maxPositions, decoder } = model.wiring
  if (virtualTokens + positionShift >= maxPositions) {
    throw new UserError(
      `${virtualTokens + positionShift} virtual tokens leave no room for text in the model's ${maxPositions} positions; take fewer.`,
    )
  }
  // Virtual tokens before text that keeps its own positions have none; what is looked up for them is not used.
  const moved =
    positionShift === 0 ? positions : (ids: Int32Array) => positions(ids).map((position) => Math.max(position + positionShift, 0))
  return {
    virtualTokens,
    reserved: virtualTokens + positionShift,
    positions: moved,
    rows: (examples) => (virtualTokens === 0 ? examples : examples.map((example) => virtualRow(example, virtualTokens))),
    batch(rows, copies = 1) {
      if (!decoder) return pack(rows, moved, copies)
      // A prefix comes before what is written, and it is there that positions run on.
      const texts = rows.map((row) => ({ ...row, ...row.decoder! }))
      return { ...pack(rows, positions, copies), decoder: pack(texts, moved, copies) }
    },
  }
}
