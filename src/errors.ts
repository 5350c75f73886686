/**
 * An error that the user can mend: what was given, what was expected, the next step.
 * The command line prints its message without a stack and exits with 2.
 */
export class UserError extends Error {
  override readonly name = 'UserError'
}

/** Edit distance between two words, case ignored (Levenshtein 1966). */
function distance(a: string, b: string): number {
  const [s, t] = [a.toLowerCase(), b.toLowerCase()]
  let row = Array.from({ length: t.length + 1 }, (_, j) => j)
  for (let i = 1; i <= s.length; i++) {
    const next = [i]
    for (let j = 1; j <= t.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (s[i - 1] === t[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[t.length]!
}

/** Whether one name is a part of the other; a letter alone is in many, and counts where it ends one as a word of its own, as in `targetR`. */
const holds = (name: string, word: string): boolean =>
  word.length > 1 ? name.includes(word) || word.includes(name) : name.endsWith(word.toUpperCase())

/** The candidates closest to `word`, nearest first; those that share nothing with it are left out. */
function nearest(word: string, candidates: Iterable<string>, most = 3): string[] {
  return [...new Set(candidates)]
    .map((name) => ({
      name,
      far: holds(name, word) ? 0 : distance(word, name) / Math.max(word.length, name.length, 1),
    }))
    .filter(({ far }) => far <= 0.6)
    .sort((a, b) => a.far - b.far)
    .slice(0, most)
    .map(({ name }) => name)
}

/** `Did you mean "x" or "y"?` or an empty string where nothing is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates)
  return near.length ? ` Did you mean ${near.map((n) => `"${n}"`).join(' or ')}?` : ''
}
