import type { Head } from './head.ts'
import { type Asks, vocabularyHead } from './vocabulary.ts'

/** Where a row is asked for words: where it has labels that count, and without labels where it has masks. */
export const hiddenWords =
  (mask: () => number | null): Asks =>
  ({ ids, label }) => {
    if (label !== null) return (label as readonly number[]).flatMap((target, place) => (target < 0 ? [] : [{ place, target }]))
    const hidden = mask()
    return [...ids.keys()].flatMap((place) => (ids[place] === hidden ? [{ place, target: null }] : []))
  }

/** The words that are hidden; `mask` is the mask token's id. */
export const maskedLm = (mask: () => number | null): Head => vocabularyHead('masked-lm', hiddenWords(mask))
