import { UserError } from '../errors.ts'
import { at, type Row, shown } from './row.ts'
import type { Encoded, Tokenizer } from './tokenizer.ts'

/** The words of a row, from `column` or, where that is null, from `tokens` or `words`; null for rows that bring none. */
export function wordsOf(row: Row, column: string | null): readonly string[] | null {
  const name = column ?? ['tokens', 'words'].find((usual) => Array.isArray(row.values.get(usual)))
  const value = name === undefined ? null : row.values.get(name)
  if (!Array.isArray(value)) return null
  const odd = value.findIndex((word) => typeof word !== 'string')
  if (odd >= 0) throw new UserError(`${at(row)}: "${name}"[${odd}] is ${shown(value[odd])}; expected a word.`)
  if (value.length === 0) throw new UserError(`${at(row)}: "${name}" is empty. Leave the row out.`)
  return value
}

/**
 * Words as one row of at most `maxLength` tokens, each as it is written after a space; `word` tells which word a token begins, -1 for
 * its other tokens and for special ones. UserError where no word would fit.
 */
export function encodeWords(
  tokenizer: Tokenizer,
  words: readonly string[],
  maxLength: number,
): Encoded & { readonly word: readonly number[] } {
  const special = tokenizer.framed([]).ids.length
  if (maxLength <= special)
    throw new UserError(`a length of ${maxLength} tokens leaves no room for text beside ${special} special tokens. Raise the length.`)
  const pieces = words.flatMap((text, word) => tokenizer.tokens(` ${text.trim()}`).map((id, i) => ({ id, word: i === 0 ? word : -1 })))
  const kept = pieces.slice(0, maxLength - special)
  const { ids, types } = tokenizer.framed(kept.map(({ id }) => id))
  const before = tokenizer.framed([-1]).ids.indexOf(-1)
  const word = ids.map((_, i) => kept[i - before]?.word ?? -1)
  return { ids, types, word, cut: kept.length < pieces.length }
}
