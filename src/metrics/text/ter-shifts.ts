import { type DistanceTable, distance, distanceTable, editPath } from './ter-distance.ts'

// Tercom's limits, and sacrebleu's on how many shifts are tried for a pair of texts.
const LONGEST_SHIFT = 10
const FARTHEST_SHIFT = 50
const MOST_TRIALS = 1000

/** Where each word of the reference lies in the hypothesis, and which words of either side are wrong there. */
interface Alignment {
  readonly places: readonly number[]
  readonly wrongReference: readonly boolean[]
  readonly wrongHypothesis: readonly boolean[]
}

function align(table: DistanceTable, hypothesis: readonly string[], reference: readonly string[]): Alignment {
  const places: number[] = []
  const [wrongReference, wrongHypothesis]: [boolean[], boolean[]] = [[], []]
  for (const edit of editPath(table, hypothesis, reference)) {
    if (edit !== 'insert') wrongHypothesis.push(edit !== 'keep')
    if (edit === 'delete') continue
    places.push(wrongHypothesis.length - 1)
    wrongReference.push(edit !== 'keep')
  }
  return { places, wrongReference, wrongHypothesis }
}

/** Blocks of equal words on both sides: [start in the hypothesis, start in the reference, length]. */
function* commonBlocks(hypothesis: readonly string[], reference: readonly string[]): Generator<[number, number, number]> {
  for (let from = 0; from < hypothesis.length; from++) {
    for (let to = Math.max(0, from - FARTHEST_SHIFT); to < Math.min(reference.length, from + FARTHEST_SHIFT + 1); to++) {
      const most = Math.min(LONGEST_SHIFT, hypothesis.length - from, reference.length - to)
      for (let i = 0; i < most && hypothesis[from + i] === reference[to + i]; i++) yield [from, to, i + 1]
    }
  }
}

/** The words with the block of `length` at `from` moved to before the word that is now at `to`. */
function moved(words: readonly string[], from: number, length: number, to: number): string[] {
  const block = words.slice(from, from + length)
  if (to < from) return [...words.slice(0, to), ...block, ...words.slice(to, from), ...words.slice(from + length)]
  // Within the block itself Tercom moves it by so many words.
  const end = to > from + length ? to : to + length
  return [...words.slice(0, from), ...words.slice(from + length, end), ...block, ...words.slice(end)]
}

interface Shift {
  readonly words: string[]
  readonly table: DistanceTable
  /** In Tercom's order of choice: edits saved, length, start and target (early ones first). */
  readonly rank: readonly number[]
}

function better(a: Shift, b: Shift | undefined): boolean {
  const at = b ? a.rank.findIndex((value, i) => value !== b.rank[i]) : 0
  return at >= 0 && (!b || a.rank[at]! > b.rank[at]!)
}

/** The best shift of one block, with how many were tried so far. */
function bestShift(
  words: readonly string[],
  reference: readonly string[],
  table: DistanceTable,
  tried: number,
): { best: Shift | undefined; tried: number } {
  const { places, wrongReference, wrongHypothesis } = align(table, words, reference)
  let best: Shift | undefined
  for (const [from, to, length] of commonBlocks(words, reference)) {
    // Only a block that is wrong where it is, and missing where it would go.
    if (!wrongHypothesis.slice(from, from + length).includes(true) || !wrongReference.slice(to, to + length).includes(true)) continue
    if (places[to]! >= from && places[to]! < from + length) continue
    let before = -1
    for (let offset = -1; offset < length; offset++) {
      const target = to + offset < 0 ? 0 : places[to + offset]! + 1
      if (target === before) continue
      before = target
      const shifted = moved(words, from, length, target)
      const after = distanceTable(shifted, reference, { table, same: Math.min(from, target) })
      const shift = { words: shifted, table: after, rank: [distance(table) - distance(after), length, -from, -target] }
      tried++
      if (better(shift, best)) best = shift
    }
    if (tried >= MOST_TRIALS) break
  }
  return { best, tried }
}

/**
 * The edits that turn `hypothesis` into `reference` when a block of words may move for one edit, found greedily as Tercom does: again and
 * again the shift that saves most. All words of the hypothesis for an empty reference.
 */
export function editsWithShifts(hypothesis: readonly string[], reference: readonly string[]): number {
  let [words, table] = [hypothesis, distanceTable(hypothesis, reference)]
  let [shifts, tried] = [0, 0]
  for (;;) {
    const found = bestShift(words, reference, table, tried)
    if (found.tried >= MOST_TRIALS || !found.best || found.best.rank[0]! <= 0) return shifts + distance(table)
    shifts++
    ;({ words, table } = found.best)
    tried = found.tried
  }
}
