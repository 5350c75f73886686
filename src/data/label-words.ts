import { didYouMean, UserError } from '../errors.ts'
import type { Tokenizer } from './tokenizer.ts'

/**
 * The token of each label's word, in the order of the labels, as the word is written within a sentence: after a space.
 * @throws UserError for a label without word, a word without label, a word that is not one token of its own
 */
export function labelTokens(tokenizer: Tokenizer, words: Readonly<Record<string, string>>, labels: readonly string[]): number[] {
  const extra = Object.keys(words).find((label) => !labels.includes(label))
  if (extra !== undefined)
    throw new UserError(
      `labelWords has a word for "${extra}", which is no label; the labels are ${labels.join(', ')}.${didYouMean(extra, labels)}`,
    )
  const tokens = labels.map((label) => {
    const word = Object.hasOwn(words, label) ? words[label]! : null
    if (word === null) throw new UserError(`labelWords has no word for the label "${label}"; give each label one.`)
    const ids = tokenizer.tokens(` ${word.trim()}`)
    const [id] = ids
    if (ids.length !== 1 || id === tokenizer.special.unknown) {
      const pieces = ids.map((one) => `"${tokenizer.word(one).trim()}"`).join(', ')
      const what = ids.length === 1 ? 'not in the vocabulary' : `${ids.length} tokens${ids.length > 0 ? ` (${pieces})` : ''}`
      throw new UserError(`labelWords: "${word}", for "${label}", is ${what}; choose a word that is one token.`)
    }
    return id!
  })
  tokens.forEach((token, i) => {
    const other = tokens.indexOf(token)
    if (other !== i) throw new UserError(`labelWords: "${labels[other]}" and "${labels[i]}" have the same word; choose another for one.`)
  })
  return tokens
}
