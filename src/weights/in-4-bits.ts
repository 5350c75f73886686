/** What stands for 0 in numbers of 4 bits. */
export const ZERO = 8

/** A matrix in numbers of 4 bits, and how they are read. */
export interface In4Bits {
  /** Block by block, half as many as a block has numbers: its first half in the low bits, its second half in the high ones. */
  readonly bytes: Uint8Array
  /** What a number less `ZERO` is multiplied by, for each block; of either sign. */
  readonly scales: Float32Array
  /** A step of 127 up to the largest value that the numbers tell, of each row and of each column. */
  readonly rowSteps: Float32Array
  readonly columnSteps: Float32Array
}

/**
 * A matrix rounded to 16 steps in each block of a row. The steps go from -8 to 7, so that the value that is farthest from zero is hit exactly
 * where its scale has the other sign, and the steps are an eighth of it, not a seventh; only what lies near its negative is off by more than half a step.
 */
export function in4Bits(matrix: Float32Array, [rows, columns]: readonly [number, number], block: number): In4Bits {
  const bytes = new Uint8Array(matrix.length / 2)
  const scales = new Float32Array(matrix.length / block)
  const largest = { rows: new Float32Array(rows), columns: new Float32Array(columns) }
  const half = block / 2
  for (let at = 0; at < scales.length; at++) {
    const start = at * block
    let most = 0
    for (let i = start; i < start + block; i++) if (Math.abs(matrix[i]!) > Math.abs(most)) most = matrix[i]!
    scales[at] = most === 0 ? 1 : most / -ZERO
    const scale = scales[at]!
    for (let i = 0; i < block; i++) {
      const number = Math.min(15, Math.round(matrix[start + i]! / scale) + ZERO)
      bytes[at * half + (i % half)]! |= i < half ? number : number << 4
      const told = Math.abs((number - ZERO) * scale)
      const [row, column] = [Math.floor(start / columns), (start % columns) + i]
      largest.rows[row] = Math.max(largest.rows[row]!, told)
      largest.columns[column] = Math.max(largest.columns[column]!, told)
    }
  }
  const steps = (values: Float32Array): Float32Array => values.map((value) => (value === 0 ? 1 : value / 127))
  return { bytes, scales, rowSteps: steps(largest.rows), columnSteps: steps(largest.columns) }
}
