/**
 * p-values corrected for their number (Holm, "A simple sequentially rejective multiple test procedure", 1979): the smallest times n, the
 * next times n - 1, and so on, none below one before it. In the order given.
 */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!)
  const adjusted: number[] = new Array(values.length)
  let least = 0
  for (const [rank, i] of order.entries()) {
    least = Math.max(least, Math.min(1, (values.length - rank) * values[i]!))
    adjusted[i] = least
  }
  return adjusted
}
