import { didYouMean, UserError } from '../errors.ts'
import { shown } from './row.ts'
import type { Encoded, Tokenizer } from './tokenizer.ts'
import { longestFirst } from './truncation.ts'

const slots = ['text', 'pair', 'mask'] as const
type Slot = (typeof slots)[number]

/** Literal words, or a place to be filled; `led` where white space stands before it. */
type Piece = { readonly words: string } | { readonly slot: Slot; readonly led: boolean }

/**
 * A template such as `{text} It was {mask}.` in pieces.
 * @throws UserError unless it has `{mask}` and `{text}` once, `{pair}` at most once, and nothing else in braces
 */
export function parseTemplate(template: string): Piece[] {
  const fault = (what: string, hint = ''): UserError => new UserError(`The template ${JSON.stringify(template)} ${what}.${hint}`)
  const pieces = template.split(/(\{[^{}]*\})/).flatMap((part, i, parts): Piece[] => {
    if (i % 2 === 0) return part.trim() === '' ? [] : [{ words: i === 0 ? part.trim() : part.trimEnd() }]
    const name = part.slice(1, -1)
    if (!(slots as readonly string[]).includes(name))
      throw fault(`has ${part}; known are ${slots.map((slot) => `{${slot}}`).join(', ')}`, didYouMean(name, slots))
    return [{ slot: name as Slot, led: /\s$/.test(parts[i - 1]!) }]
  })
  const count = (slot: Slot): number => pieces.filter((piece) => 'slot' in piece && piece.slot === slot).length
  if (count('mask') !== 1) throw fault(`has ${count('mask') || 'no'} {mask}; it needs one, where the label's word belongs`)
  if (count('text') !== 1) throw fault(`has ${count('text') || 'no'} {text}; it needs one, where the row's text belongs`)
  if (count('pair') > 1) throw fault('has {pair} more than once; one is enough')
  return pieces
}

/**
 * Rows as a template puts them, with one mask each: words are tokenised piece by piece, and only the texts are cut to fit.
 * @throws UserError for a template that is none, and for a tokenizer without mask token
 */
export function templated(tokenizer: Tokenizer, template: string): Pick<Tokenizer, 'encode'> {
  const pieces = parseTemplate(template)
  const { mask } = tokenizer.special
  if (mask === null)
    throw new UserError('The tokenizer has no mask token, so a template has nothing to ask for; take a masked language model.')
  const pairs = pieces.some((piece) => 'slot' in piece && piece.slot === 'pair')
  const literals = pieces.map((piece) => ('words' in piece ? tokenizer.tokens(piece.words) : piece.slot === 'mask' ? [mask] : []))
  const fixed = tokenizer.framed(literals.flat()).ids.length

  function tokensOf(text: string, slot: Slot): number[] {
    const led = pieces.some((piece) => 'slot' in piece && piece.slot === slot && piece.led)
    const ids = tokenizer.tokens(led ? ` ${text.trim()}` : text.trim())
    if (!ids.includes(mask!)) return ids
    throw new UserError(
      `The text ${shown(text)} holds the mask token itself, so that the template's is not the only one. Write it otherwise.`,
    )
  }

  return {
    encode(text, pair, maxLength): Encoded {
      if (pairs && pair === null)
        throw new UserError(
          `The template ${JSON.stringify(template)} has {pair}, but no column holds a second text. Name it: columns.pair.`,
        )
      if (!pairs && pair !== null)
        throw new UserError(
          `The template ${JSON.stringify(template)} has no {pair}, but rows have a second text. Add it, or set columns.pair to null.`,
        )
      const room = maxLength - fixed
      if (room < (pairs ? 2 : 1))
        throw new UserError(`a length of ${maxLength} tokens leaves no room for text beside ${fixed} of the template. Raise the length.`)
      const texts = { text: tokensOf(text, 'text'), pair: pair === null ? [] : tokensOf(pair, 'pair') }
      const [first, second] = longestFirst(texts.text.length, texts.pair.length, room)
      const kept: Readonly<Record<string, number[]>> = { text: texts.text.slice(0, first), pair: texts.pair.slice(0, second) }
      const row = tokenizer.framed(pieces.flatMap((piece, i) => ('slot' in piece ? (kept[piece.slot] ?? literals[i]!) : literals[i]!)))
      return { ...row, cut: first + second < texts.text.length + texts.pair.length }
    },
  }
}
