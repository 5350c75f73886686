import { type Aligned, type Edit, edited, trimmed } from './aligned-text.ts'

/** A normalizer of the library, which its declarations do not name. */
export interface Normalizer {
  readonly config: {
    readonly type: string
    readonly content?: string
    readonly prepend?: string
    readonly strip_left?: boolean
    readonly strip_right?: boolean
  }
  /** Of a sequence. */
  readonly normalizers?: readonly (Normalizer | null)[]
  /** Of a replacement. */
  readonly pattern?: RegExp | null
  normalize(text: string): string
}

/** What may be composed: a syllable of Hangul, or a character with its marks. */
const clusters = /[\u1100-\u115f][\u1160-\u11a7]+[\u11a8-\u11ff]*|[\uac00-\ud7a3][\u1160-\u11ff]+|\P{M}\p{M}*|\p{M}+/gu

/**
 * What a normalizer makes of each character, where it looks no farther than a cluster. What it composes comes from the whole cluster,
 * and a mark that it drops belongs to the character before: Hugging Face's offsets leave such marks out, but an answer has to keep them.
 */
function* local(text: string, normalize: (text: string) => string): Generator<Edit> {
  const known = new Map<string, string>()
  const made = (some: string): string => {
    if (!known.has(some)) known.set(some, normalize(some))
    return known.get(some)!
  }
  for (const { 0: cluster, index } of text.matchAll(clusters)) {
    const whole = made(cluster)
    const characters = [...cluster]
    if (characters.length === 1 || characters.map(made).join('') !== whole) {
      yield { from: index, to: index + cluster.length, text: whole }
      continue
    }
    let end = index
    let last = null as Edit | null
    for (const character of characters) {
      const [from, text] = [end, made(character)]
      end += character.length
      if (last && text === '') {
        last = { ...last, to: end }
      } else {
        if (last) yield last
        last = { from, to: end, text }
      }
    }
    if (last) yield last
  }
}

function* unchanged(text: string, start: number, end: number): Generator<Edit> {
  for (let from = start; from < end; from++) yield { from, to: from + 1, text: text[from]! }
}

function* replaced(text: string, pattern: RegExp | null, content: string): Generator<Edit> {
  let end = 0
  for (const match of pattern === null ? [] : text.matchAll(pattern)) {
    yield* unchanged(text, end, match.index)
    end = match.index + match[0].length
    if (end > match.index) yield { from: match.index, to: end, text: content }
  }
  yield* unchanged(text, end, text.length)
}

function* prepended(text: string, before: string): Generator<Edit> {
  if (text !== '') yield { from: 0, to: 1, text: before + text[0] }
  yield* unchanged(text, 1, text.length)
}

/** Those that look farther than a cluster. */
const farther: Readonly<Record<string, (given: Aligned, normalizer: Normalizer) => Aligned>> = {
  Strip: (given, { config }) => trimmed(given, config.strip_left ?? false, config.strip_right ?? false),
  Replace: (given, { pattern, config }) => edited(given, replaced(given.text, pattern ?? null, config.content ?? '')),
  Prepend: (given, { config }) => edited(given, prepended(given.text, config.prepend ?? '')),
}

/** The normalized text with its characters; null where the two cannot be brought together. */
export function normalized(given: Aligned, normalizer: Normalizer | null): Aligned | null {
  if (normalizer === null) return given
  if (normalizer.normalizers) return normalizer.normalizers.reduce<Aligned | null>((text, each) => text && normalized(text, each), given)
  const { type } = normalizer.config
  const own = Object.hasOwn(farther, type) ? farther[type]! : null
  const result = own
    ? own(given, normalizer)
    : edited(
        given,
        local(given.text, (text) => normalizer.normalize(text)),
      )
  const text = normalizer.normalize(given.text)
  // A final sigma is lowercased by what stands around it.
  return result.text.length === text.length ? { ...result, text } : null
}
