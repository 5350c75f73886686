const { abs, ceil, floor, fround, log, max, min, sign } = Math

/** How distances between tokens share the rows of a table of relative positions. */
export interface DebertaBuckets {
  /** Buckets on each side; 0 for one to each distance up to the farthest. */
  readonly buckets: number
  /** The distance that has the last bucket; the ones beyond it share that. */
  readonly farthest: number
}

/** Half the rows of the table. */
export const spanOf = ({ buckets, farthest }: DebertaBuckets): number => (buckets > 0 ? buckets : farthest)

/**
 * DeBERTa-v2's bucket of a distance from key to query (He et al. 2021): near ones have their own, farther ones share them by logarithm.
 * The steps are HF's, in float32, since a rounding at the border of a bucket moves a distance into another.
 */
export function debertaBucketOf(distance: number, { buckets, farthest }: DebertaBuckets): number {
  const [middle, size] = [floor(buckets / 2), abs(distance)]
  if (buckets <= 0 || size <= middle) return distance
  const scaled = (value: number): number => fround(log(fround(value / middle)))
  const share = fround(scaled(size) / scaled(farthest - 1))
  return sign(distance) * (ceil(fround(share * (middle - 1))) + middle)
}

/** The row of the table for a distance, between 0 and twice the span. */
export const rowOf = (distance: number, of: DebertaBuckets): number =>
  max(0, min(2 * spanOf(of) - 1, spanOf(of) + debertaBucketOf(distance, of)))

/** The rows of distances from `-reach` to `reach`; those farther away have the first or the last row. */
export function rowTable(of: DebertaBuckets): { readonly rows: number[]; readonly reach: number } {
  let reach = 1
  while (rowOf(reach, of) < 2 * spanOf(of) - 1 || rowOf(-reach, of) > 0) reach++
  return { rows: Array.from({ length: 2 * reach + 1 }, (_, i) => rowOf(i - reach, of)), reach }
}
