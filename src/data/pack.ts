import type { Example } from './examples.ts'
import type { Tokens } from './token-row.ts'

/** What a masked key adds to a score: the most negative finite float32. */
export const maskedKey: number = -(2 - 2 ** -23) * 2 ** 127

/** Rows packed without padding: all row-wise work runs on [tokens], only attention on [rows, length]. */
export interface Batch {
  readonly rows: number
  readonly tokens: number
  /** Tokens of the longest row. */
  readonly length: number
  /** [tokens] */
  readonly ids: Int32Array
  /** [tokens] */
  readonly types: Int32Array
  /** [tokens] */
  readonly positions: Int32Array
  /** [rows]: index of each row's first token. */
  readonly rowStart: Int32Array
  /** [rows]: index of each row's last token that may be attended. */
  readonly rowEnd: Int32Array
  /** [rows * length]: the token of each slot; padding slots point at token 0. */
  readonly unpack: Int32Array
  /** [tokens]: the slot (row * length + column) of each token. */
  readonly repack: Int32Array
  /** [rows * length]: 0 where a key may be attended, the most negative finite float32 elsewhere. */
  readonly keyMask: Float32Array
  /** [rows * length]: 1 where the slot holds a token, else 0. */
  readonly slotMask: Float32Array
  /** The rows of a decoder beside them. */
  readonly decoder?: Batch
}

/** The rows of tokens that an example is asked as. */
const rowsOf = (example: Example): readonly Tokens[] => [example, ...(example.others ?? [])]

/**
 * Packs the rows of examples, one after another; `positions` gives those of a row [tokens] from its ids. With `copies`, the whole batch is repeated:
 * first all rows of the first copy, then those of the next. RangeError without rows or for a row without tokens.
 */
export function pack(examples: readonly Example[], positions: (ids: Int32Array) => Int32Array, copies = 1): Batch {
  const own = examples.flatMap(rowsOf)
  const batch = Array.from({ length: copies }, () => own).flat()
  if (batch.length === 0 || batch.some(({ ids }) => ids.length === 0))
    throw new RangeError('pack: expected rows with at least one token each')
  const rows = batch.length
  const tokens = batch.reduce((sum, { ids }) => sum + ids.length, 0)
  const length = batch.reduce((most, { ids }) => Math.max(most, ids.length), 0)
  const packed = {
    ids: new Int32Array(tokens),
    types: new Int32Array(tokens),
    positions: new Int32Array(tokens),
    rowStart: new Int32Array(rows),
    rowEnd: new Int32Array(rows),
    unpack: new Int32Array(rows * length),
    repack: new Int32Array(tokens),
    keyMask: new Float32Array(rows * length).fill(maskedKey),
    slotMask: new Float32Array(rows * length),
  }
  let token = 0
  batch.forEach(({ ids, types, mask }, row) => {
    packed.ids.set(ids, token)
    packed.types.set(types, token)
    packed.positions.set(positions(ids), token)
    packed.rowStart[row] = token
    for (let column = 0; column < ids.length; column++, token++) {
      const slot = row * length + column
      packed.unpack[slot] = token
      packed.repack[token] = slot
      packed.slotMask[slot] = 1
      if (mask[column] !== 1) continue
      packed.keyMask[slot] = 0
      packed.rowEnd[row] = token
    }
  })
  return { rows, tokens, length, ...packed }
}
