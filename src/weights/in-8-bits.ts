/** The matrix, or its transpose, rounded to 127 steps a column, whose largest value is hit exactly; a column of zeros stays one. */
export function in8Bits(
  matrix: Float32Array,
  [rows, columns]: readonly [number, number],
  transposed: boolean,
): { values: Int8Array; scales: Float32Array } {
  const [inner, outer] = transposed ? [columns, rows] : [rows, columns]
  const at = transposed ? (i: number, j: number): number => j * columns + i : (i: number, j: number): number => i * columns + j
  const scales = new Float32Array(outer)
  for (let i = 0; i < inner; i++) for (let j = 0; j < outer; j++) scales[j] = Math.max(scales[j]!, Math.abs(matrix[at(i, j)]!))
  for (let j = 0; j < outer; j++) scales[j] = scales[j] === 0 ? 1 : scales[j]! / 127
  const values = new Int8Array(inner * outer)
  for (let i = 0; i < inner; i++) for (let j = 0; j < outer; j++) values[i * outer + j] = Math.round(matrix[at(i, j)]! / scales[j]!)
  return { values, scales }
}
