import type { PairRule } from './pair-rule.ts'

/** `Σ w s B A` exactly: rows of A one below the other, times weight and scale, and columns of B side by side; the ranks add up. */
export const cat: PairRule = (parts) => {
  const rank = parts.reduce((sum, { a }) => sum + a.shape[0]!, 0)
  const [width, out] = [parts[0]!.a.shape[1]!, parts[0]!.b.shape[0]!]
  const [a, b] = [new Float32Array(rank * width), new Float32Array(out * rank)]
  let row = 0
  for (const part of parts) {
    const own = part.a.shape[0]!
    for (let i = 0; i < own * width; i++) a[row * width + i] = part.weight * part.scale * part.a.data[i]!
    for (let i = 0; i < out; i++) b.set(part.b.data.subarray(i * own, (i + 1) * own), i * rank + row)
    row += own
  }
  return { a: { shape: [rank, width], data: a }, b: { shape: [out, rank], data: b } }
}
