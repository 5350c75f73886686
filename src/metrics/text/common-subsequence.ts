/** table[i][j] is the length of a longest common subsequence of the first i words of `a` and the first j of `b`. */
function lengths(a: readonly string[], b: readonly string[]): Uint32Array[] {
  const table = [new Uint32Array(b.length + 1)]
  for (let i = 1; i <= a.length; i++) {
    const [above, row] = [table[i - 1]!, new Uint32Array(b.length + 1)]
    for (let j = 1; j <= b.length; j++) row[j] = a[i - 1] === b[j - 1] ? above[j - 1]! + 1 : Math.max(above[j]!, row[j - 1]!)
    table.push(row)
  }
  return table
}

/** The length of a longest common subsequence. */
export const commonLength = (a: readonly string[], b: readonly string[]): number => lengths(a, b)[a.length]![b.length]!

/** Where in `a` the words of one longest common subsequence are, last first; of several, rouge-score's choice. */
export function commonPlaces(a: readonly string[], b: readonly string[]): number[] {
  const table = lengths(a, b)
  const places: number[] = []
  for (let i = a.length, j = b.length; i > 0 && j > 0; ) {
    if (a[i - 1] === b[j - 1]) {
      places.push(--i)
      j--
    } else if (table[i]![j - 1]! > table[i - 1]![j]!) j--
    else i--
  }
  return places
}
