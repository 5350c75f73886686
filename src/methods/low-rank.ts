import type { Factors, Method } from '../nn/method.ts'

/** `scale · B A`, as `[out, in]`; sums in doubles. */
export function lowRankIncrement({ a, b, scale }: Factors): Float32Array {
  const [rank, width, height] = [a.shape[0]!, a.shape[1]!, b.shape[0]!]
  const result = new Float32Array(height * width)
  const row = new Float64Array(width)
  for (let i = 0; i < height; i++) {
    row.fill(0)
    for (let k = 0; k < rank; k++) {
      const factor = scale * b.data[i * rank + k]!
      if (factor !== 0) for (let j = 0; j < width; j++) row[j] = row[j]! + factor * a.data[k * width + j]!
    }
    result.set(row, i * width)
  }
  return result
}

/** What a method tells of its increments where they are products of two factors. */
export function lowRank(factors: NonNullable<Method['factors']>): Required<Pick<Method, 'factors' | 'increment'>> {
  return { factors, increment: (site, roles) => lowRankIncrement(factors(site, roles)) }
}
