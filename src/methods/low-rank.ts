import type { Tensor } from '../nn/method.ts'

/** `scale · B diag(e) A` for A `[r, in]`, B `[out, r]`, e `[r]` (ones if absent), as `[out, in]`; sums in doubles. */
export function lowRankIncrement(a: Tensor, b: Tensor, scale: number, e?: Tensor): Float32Array {
  const [rank, width, height] = [a.shape[0]!, a.shape[1]!, b.shape[0]!]
  const result = new Float32Array(height * width)
  const row = new Float64Array(width)
  for (let i = 0; i < height; i++) {
    row.fill(0)
    for (let k = 0; k < rank; k++) {
      const factor = scale * b.data[i * rank + k]! * (e ? e.data[k]! : 1)
      if (factor !== 0) for (let j = 0; j < width; j++) row[j] = row[j]! + factor * a.data[k * width + j]!
    }
    result.set(row, i * width)
  }
  return result
}
