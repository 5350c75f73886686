/** How a word of the hypothesis or of the reference is dealt with. */
type Edit = 'keep' | 'substitute' | 'insert' | 'delete'

/** costs[i][j] edits turn the first i words of the hypothesis into the first j of the reference; infinite far from the diagonal. */
export type DistanceTable = readonly Float64Array[]

/** How far from the diagonal cells are filled. */
const BAND = 25

/**
 * The table for turning `hypothesis` into `reference` by single words, near the diagonal only, as Tercom. `like` is the table of another
 * hypothesis of the same length, whose first `same` words are the same.
 */
export function distanceTable(
  hypothesis: readonly string[],
  reference: readonly string[],
  like?: { readonly table: DistanceTable; readonly same: number },
): DistanceTable {
  const width = reference.length + 1
  const table = like ? like.table.slice(0, like.same + 1) : [Float64Array.from({ length: width }, (_, j) => j)]
  const slope = hypothesis.length > 0 ? reference.length / hypothesis.length : 1
  const band = BAND < slope / 2 ? Math.ceil(slope / 2 + BAND) : BAND
  for (let i = table.length; i <= hypothesis.length; i++) {
    const diagonal = Math.floor(i * slope)
    const [above, row] = [table[i - 1]!, new Float64Array(width).fill(Infinity)]
    const end = i === hypothesis.length ? width : Math.min(width, diagonal + band)
    for (let j = Math.max(0, diagonal - band); j < end; j++) {
      const without = above[j]! + 1
      if (j === 0) row[j] = without
      else row[j] = Math.min(above[j - 1]! + (hypothesis[i - 1] === reference[j - 1] ? 0 : 1), without, row[j - 1]! + 1)
    }
    table.push(row)
  }
  return table
}

/** The edits of whole texts: the last number of the table. */
export const distance = (table: DistanceTable): number => table.at(-1)!.at(-1)!

/** The edits from the first word to the last; of equally cheap ones the pair of words is taken first, then the deletion. */
export function editPath(table: DistanceTable, hypothesis: readonly string[], reference: readonly string[]): Edit[] {
  const path: Edit[] = []
  for (let i = hypothesis.length, j = reference.length; i > 0 || j > 0; ) {
    const same = hypothesis[i - 1] === reference[j - 1]
    const cost = table[i]![j]!
    const paired = i > 0 && j > 0 && cost === table[i - 1]![j - 1]! + (same ? 0 : 1)
    const edit = paired ? (same ? 'keep' : 'substitute') : i > 0 && cost === table[i - 1]![j]! + 1 ? 'delete' : 'insert'
    path.push(edit)
    if (edit !== 'insert') i--
    if (edit !== 'delete') j--
  }
  return path.reverse()
}
