import { UserError } from '../errors.ts'
import { at, type Place } from './row.ts'
import type { Located } from './token-characters.ts'
import type { Encoded, Tokenizer } from './tokenizer.ts'

/** A question with a stretch of its context, as one row of tokens. */
export interface Window extends Encoded {
  /** The row's first token of the context. */
  readonly first: number
  /** The characters [start, end) of the context that its tokens stand for, each [tokens of the context here]. */
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

export interface WindowOptions {
  /** Tokens of a window, special tokens included. */
  readonly maxLength: number
  /** Tokens that a window shares with the one before it. */
  readonly docStride: number
  readonly maxQuestionLength: number
}

/**
 * Windows over a context, each with the whole question, cut to `maxQuestionLength`: as many as it takes until one reaches the end.
 * @throws UserError, with the place, for texts without tokens, and where a window has no room for more than the stride
 */
export function windowsOf(
  { ids: question }: Located,
  context: Located,
  tokenizer: Pick<Tokenizer, 'joined'>,
  { maxLength, docStride, maxQuestionLength }: WindowOptions,
  place: Place,
): Window[] {
  if (question.length === 0) throw new UserError(`${at(place)}: the question has no tokens. Leave the row out.`)
  if (context.ids.length === 0) throw new UserError(`${at(place)}: the context has no tokens. Leave the row out.`)
  const asked = question.slice(0, maxQuestionLength)
  const room = maxLength - tokenizer.joined(asked, []).ids.length
  if (room < 1 || (context.ids.length > room && room <= docStride)) {
    throw new UserError(
      `${at(place)}: beside a question of ${asked.length} tokens, ${maxLength} tokens leave ${Math.max(room, 0)} for the context, ` +
        `and docStride is ${docStride}. Raise maxLength, or lower docStride or maxQuestionLength.`,
    )
  }
  const windows: Window[] = []
  let from = 0
  let to = 0
  do {
    to = Math.min(from + room, context.ids.length)
    const { ids, types, pairStart } = tokenizer.joined(asked, context.ids.slice(from, to))
    windows.push({ ids, types, first: pairStart, starts: context.starts.slice(from, to), ends: context.ends.slice(from, to) })
    from += room - docStride
  } while (to < context.ids.length)
  return windows
}

/** The row's tokens from the one in which [start, end) of the context begins to the one in which it ends; null where the window lacks a part. */
export function tokensOf(
  { first, starts, ends }: Window,
  { start, end }: { readonly start: number; readonly end: number },
): { readonly start: number; readonly end: number } | null {
  if (starts[0]! > start || ends.at(-1)! < end) return null
  const begin = starts.findLastIndex((character) => character <= start)
  const stop = ends.findIndex((character, i) => i >= begin && character >= end)
  return { start: first + begin, end: first + stop }
}
