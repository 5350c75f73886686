import { type Normalizer, normalized } from './aligned-normalizer.ts'
import { type Aligned, aligned, part, trimmed } from './aligned-text.ts'

interface AddedToken {
  readonly content: string
  readonly normalized: boolean
  readonly lstrip: boolean
  readonly rstrip: boolean
}

/** What is used of the library, whose declarations tell nothing. */
export interface Library {
  readonly normalizer: Normalizer | null
  readonly pre_tokenizer: ((text: string, options: { section_index: number }) => string[]) | null
  readonly model: {
    (words: readonly string[]): string[]
    readonly config: { readonly continuing_subword_prefix?: string | null; readonly end_of_word_suffix?: string | null }
  }
  get_added_tokens_decoder(): ReadonlyMap<number, AddedToken>
  encode(text: string, options: { add_special_tokens: boolean }): { readonly ids: (number | undefined)[]; readonly tokens: string[] }
  decode(ids: readonly number[], options: { clean_up_tokenization_spaces?: boolean; skip_special_tokens?: boolean }): string
}

/** Tokens of a text, each [tokens]: the characters [start, end) that each stands for, in UTF-16 units, without whitespace around them. */
export interface Located {
  readonly ids: readonly number[]
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

interface Section {
  readonly text: Aligned
  /** Whether it is an added token, which stays whole. */
  readonly added: boolean
}

/** Stretches between added tokens, and these; the longest counts where several begin. */
function sections(given: Aligned, tokens: ReadonlyMap<string, AddedToken>): Section[] {
  if (given.text === '' || tokens.size === 0) return given.text === '' ? [] : [{ text: given, added: false }]
  const longest = [...tokens.keys()].sort((a, b) => b.length - a.length).map((content) => content.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const result: Section[] = []
  let [end, strip] = [0, false]
  const between = (to: number, next: AddedToken | null): void => {
    const text = trimmed(part(given, end, to), strip, next?.lstrip ?? false)
    if (text.text !== '') result.push({ text, added: false })
  }
  for (const match of given.text.matchAll(new RegExp(longest.join('|'), 'g'))) {
    const token = tokens.get(match[0])!
    between(match.index, token)
    end = match.index + match[0].length
    strip = token.rstrip
    result.push({ text: part(given, match.index, end), added: true })
  }
  between(given.text.length, null)
  return result
}

/** Words of a byte-level pre-tokenizer, which has a letter for each byte and may begin with a space of its own. */
function byteWords({ text, starts, ends }: Aligned, words: readonly string[]): Aligned[] | null {
  const [first, last]: [number[], number[]] = [[], []]
  let unit = 0
  for (const character of text) {
    for (let byte = Buffer.byteLength(character); byte > 0; byte--) {
      first.push(starts[unit]!)
      last.push(ends[unit]!)
    }
    unit += character.length
  }
  const length = words.reduce((sum, word) => sum + word.length, 0)
  if (length === first.length + 1) {
    first.unshift(starts[0]!)
    last.unshift(starts[0]!)
  } else if (length !== first.length) return null
  let from = 0
  return words.map((word) => {
    const to = from + word.length
    const found = { text: word, starts: first.slice(from, to), ends: last.slice(from, to) }
    from = to
    return found
  })
}

/** Words that are stretches of the text, with U+2581 for spaces, and one put before. */
function plainWords({ text, starts, ends }: Aligned, words: readonly string[]): Aligned[] | null {
  let at = 0
  const result: Aligned[] = []
  for (const word of words) {
    const found: { text: string; starts: number[]; ends: number[] } = { text: word, starts: [], ends: [] }
    for (let k = 0; k < word.length; k++) {
      const fits = (): boolean => text[at] === word[k] || (word[k] === '\u2581' && text[at] === ' ')
      const putBefore = k === 0 && word[k] === '\u2581' && !fits()
      while (!putBefore && at < text.length && !fits()) at++
      if (at >= text.length && !putBefore) return null
      const start = starts[at] ?? ends.at(-1)!
      found.starts.push(start)
      found.ends.push(ends[at] ?? start)
      if (!putBefore) at++
    }
    result.push(found)
  }
  return result
}

/** The units of a word [from, to) that each of its tokens stands for; null where they do not spell it. */
function spelled(
  word: string,
  tokens: readonly string[],
  { prefix, suffix }: { prefix: string; suffix: string },
): [number, number][] | null {
  let at = 0
  let bytes = 0
  const surface = (token: string, from: number): string => {
    const own = from > 0 && prefix !== '' && token.startsWith(prefix) ? token.slice(prefix.length) : token
    return suffix !== '' && own.endsWith(suffix) ? own.slice(0, -suffix.length) : own
  }
  const result = tokens.map((token, k): [number, number] => {
    const own = surface(token, at)
    const from = at
    if (word.startsWith(own, at)) {
      at += own.length
    } else if (/^<0x[0-9A-F]{2}>$/.test(token)) {
      const character = String.fromCodePoint(word.codePointAt(at) ?? 0)
      bytes = (bytes + 1) % Buffer.byteLength(character)
      if (bytes === 0) at += character.length
      return [from, from + character.length]
    } else {
      // An unknown stretch ends where the next token is found.
      const next = tokens[k + 1]
      const found = next === undefined ? -1 : word.indexOf(surface(next, at + 1), at + 1)
      at = found < 0 ? word.length : found
    }
    return [from, at]
  })
  return at === word.length ? result : null
}

/** The stretch without whitespace around it. */
function withoutSpace(text: string, start: number, end: number): [number, number] {
  const stretch = text.slice(start, end)
  const from = start + stretch.length - stretch.trimStart().length
  return [from, Math.max(from, start + stretch.trimEnd().length)]
}

/**
 * Tokens of a text with their characters, found by taking the library's steps one at a time: it keeps none itself. `byteLevel` says
 * whether its words have a letter for each byte. Null where these steps do not lead to the tokens that the library gives, so that no
 * wrong character is ever told.
 */
export function locateTokens(library: Library, byteLevel: boolean, text: string): Located | null {
  const { normalizer, pre_tokenizer: split, model } = library
  if (text === '') return { ids: [], starts: [], ends: [] }
  const affixes = { prefix: model.config.continuing_subword_prefix ?? '', suffix: model.config.end_of_word_suffix ?? '' }
  const added = [...library.get_added_tokens_decoder().values()]
  const isWhole = (token: AddedToken): boolean => !token.normalized || normalizer === null
  const whole = new Map(added.filter(isWhole).map((token) => [token.content, token]))
  const others = new Map(added.filter((token) => !isWhole(token)).map((token) => [normalizer!.normalize(token.content), token]))
  const tokens: string[] = []
  const spans: [number, number][] = []
  const put = (token: string, { starts, ends }: Aligned, from: number, to: number): void => {
    const start = starts[from] ?? ends.at(-1)!
    tokens.push(token)
    spans.push(withoutSpace(text, start, from < to ? ends[to - 1]! : start))
  }
  for (const [index, section] of sections(aligned(text), whole).entries()) {
    const clean = section.added ? section.text : normalized(section.text, normalizer)
    if (clean === null) return null
    for (const { text: inner, added: stays } of section.added ? [section] : sections(clean, others)) {
      if (stays) {
        put(inner.text, inner, 0, inner.text.length)
        continue
      }
      const words = split === null ? [inner.text] : split(inner.text, { section_index: index })
      const located = byteLevel ? byteWords(inner, words) : plainWords(inner, words)
      if (located === null) return null
      for (const word of located) {
        const pieces = model([word.text])
        const units = spelled(word.text, pieces, affixes)
        if (units === null) return null
        for (const [k, piece] of pieces.entries()) put(piece, word, ...units[k]!)
      }
    }
  }
  const given = library.encode(text, { add_special_tokens: false })
  if (given.tokens.length !== tokens.length || given.tokens.some((token, i) => token !== tokens[i])) return null
  // A vocabulary without an unknown token drops what it does not know.
  const known = spans.map(([start, end], i) => ({ id: given.ids[i], start, end })).filter(({ id }) => id !== undefined)
  return { ids: known.map(({ id }) => id!), starts: known.map(({ start }) => start), ends: known.map(({ end }) => end) }
}
