/** A word as the pieces it has so far, with how often it occurs. */
interface Word {
  pieces: string[]
  readonly count: number
}

/** Two pieces that stand side by side, how often, and the words in which they do or did. */
interface Pair {
  readonly left: string
  readonly right: string
  readonly words: Set<Word>
  count: number
}

/** Before a piece that goes on a word. */
const CONTINUES = '##'
/** Letters that occur less often are left to the unknown token. */
const RARE = 50

const spelled = (word: string): string[] => [...word].map((letter, i) => (i === 0 ? letter : CONTINUES + letter))
const joined = ({ left, right }: Pair): string => left + right.slice(CONTINUES.length)

/**
 * A vocabulary of word pieces, `size` of them with the special tokens first, then letters, then pieces as they were made: by byte-pair
 * encoding (Sennrich et al. 2016), that is, the pair that occurs most often becomes a piece, again and again; ties by spelling.
 */
export function learnWordPieces(counts: ReadonlyMap<string, number>, size: number, special: readonly string[]): string[] {
  const words: Word[] = [...counts].map(([word, count]) => ({ pieces: spelled(word), count }))
  const letters = new Map<string, number>()
  for (const { pieces, count } of words) for (const piece of pieces) letters.set(piece, (letters.get(piece) ?? 0) + count)
  const alphabet = [...letters].filter(([, count]) => count >= RARE).map(([letter]) => letter)
  const known = new Set(alphabet)
  const vocabulary = [...special, ...alphabet.sort()]

  const pairs = new Map<string, Pair>()
  // Only pairs with at least so many occurrences are looked through for the largest; lowered when none is left.
  let floor = Number.POSITIVE_INFINITY
  let frequent = new Set<Pair>()
  const tell = (word: Word, sign: 1 | -1): void => {
    word.pieces.slice(1).forEach((right, i) => {
      const left = word.pieces[i]!
      const key = `${left} ${right}`
      const pair = pairs.get(key) ?? { left, right, words: new Set(), count: 0 }
      pairs.set(key, pair)
      pair.count += sign * word.count
      pair.words.add(word)
      if (pair.count >= floor) frequent.add(pair)
      else frequent.delete(pair)
    })
  }
  for (const word of words) if (word.pieces.every((piece) => known.has(piece))) tell(word, 1)

  while (vocabulary.length < size) {
    if (frequent.size === 0) {
      const descending = [...pairs.values()].filter(({ count }) => count > 0).sort((a, b) => b.count - a.count)
      if (descending.length === 0) break
      floor = descending[Math.min(500, descending.length - 1)]!.count
      frequent = new Set(descending.filter(({ count }) => count >= floor))
    }
    const best = [...frequent].reduce((a, b) => (b.count > a.count || (b.count === a.count && joined(b) < joined(a)) ? b : a))
    const piece = joined(best)
    // Two pairs may make the same piece.
    if (!known.has(piece)) vocabulary.push(piece)
    known.add(piece)
    for (const word of [...best.words]) {
      tell(word, -1)
      const next: string[] = []
      for (const each of word.pieces) {
        if (each === best.right && next.at(-1) === best.left) next[next.length - 1] = piece
        else next.push(each)
      }
      word.pieces = next
      tell(word, 1)
    }
    best.words.clear()
  }
  return vocabulary
}
