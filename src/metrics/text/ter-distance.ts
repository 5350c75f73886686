/** How a word of the hypothesis or of the reference is dealt with. */
export type Edit = 'keep' | 'substitute' | 'insert' | 'delete'

/** Rows of the table of edit distances and of the last edits; row i stands for the first i words of the hypothesis. */
export interface DistanceTable {
  readonly costs: readonly Float64Array[]
  readonly edits: readonly (readonly Edit[])[]
}

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
  const costs = like ? like.table.costs.slice(0, like.same + 1) : [Float64Array.from({ length: width }, (_, j) => j)]
  const edits: Edit[][] = like ? (like.table.edits.slice(0, like.same + 1) as Edit[][]) : [Array<Edit>(width).fill('insert')]
  const slope = hypothesis.length > 0 ? reference.length / hypothesis.length : 1
  const band = BAND < slope / 2 ? Math.ceil(slope / 2 + BAND) : BAND
  for (let i = costs.length; i <= hypothesis.length; i++) {
    const diagonal = Math.floor(i * slope)
    const [above, row] = [costs[i - 1]!, new Float64Array(width).fill(Infinity)]
    const last = Array<Edit>(width)
    const end = i === hypothesis.length ? width : Math.min(width, diagonal + band)
    for (let j = Math.max(0, diagonal - band); j < end; j++) {
      // Of equal costs the pair comes first, then the deletion.
      const same = hypothesis[i - 1] === reference[j - 1]
      const pair = j > 0 ? above[j - 1]! + (same ? 0 : 1) : Infinity
      const [without, within] = [above[j]! + 1, j > 0 ? row[j - 1]! + 1 : Infinity]
      row[j] = Math.min(pair, without, within)
      last[j] = row[j] === pair ? (same ? 'keep' : 'substitute') : row[j] === without ? 'delete' : 'insert'
    }
    costs.push(row)
    edits.push(last)
  }
  return { costs, edits }
}

/** The edits of whole texts: the last number of the table. */
export const distance = (table: DistanceTable): number => table.costs.at(-1)!.at(-1)!

/** The edits from the first word to the last. */
export function editPath({ edits }: DistanceTable): Edit[] {
  const path: Edit[] = []
  for (let i = edits.length - 1, j = edits[0]!.length - 1; i > 0 || j > 0; ) {
    const edit = edits[i]![j]!
    path.push(edit)
    if (edit !== 'insert') i--
    if (edit !== 'delete') j--
  }
  return path.reverse()
}
