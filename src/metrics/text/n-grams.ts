/** How often each run of `n` words occurs, added to `counts`; its words are joined by spaces, which words must not hold. */
export function nGramCounts(words: readonly string[], n: number, counts = new Map<string, number>()): Map<string, number> {
  for (let i = 0; i + n <= words.length; i++) {
    const gram = words.slice(i, i + n).join(' ')
    counts.set(gram, (counts.get(gram) ?? 0) + 1)
  }
  return counts
}

/** Of each key the largest of its counts. */
export function largestCounts(counts: readonly Map<string, number>[]): Map<string, number> {
  const largest = new Map<string, number>()
  for (const map of counts) for (const [gram, count] of map) largest.set(gram, Math.max(count, largest.get(gram) ?? 0))
  return largest
}

/** The sum over common keys of the smaller count, each weighed by `weight`. */
export function overlap(a: Map<string, number>, b: Map<string, number>, weight: (gram: string) => number = () => 1): number {
  let sum = 0
  for (const [gram, count] of a) {
    const other = b.get(gram)
    if (other !== undefined) sum += weight(gram) * Math.min(count, other)
  }
  return sum
}
