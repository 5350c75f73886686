import { z } from 'zod'
import { UserError } from '../errors.ts'
import { onDemand } from '../on-demand.ts'
import { type ChatTemplate, openChatTemplate } from './chat-template.ts'
import { makeExact, type Steps } from './exact-steps.ts'
import { type SpecialTokens, specialTokens } from './special-tokens.ts'
import { type Library, type Located, locateTokens } from './token-characters.ts'
import { type Piece, postProcessor, tokenFrame } from './token-frame.ts'
import { instead, readSettings, tokenizerJson } from './tokenizer-files.ts'
import { longestFirst } from './truncation.ts'

/** Token ids and token types of a row, both [tokens]. */
export interface Encoded {
  ids: number[]
  types: number[]
  /** Whether a text lost tokens to fit. */
  cut?: boolean
}

export interface Tokenizer {
  /** The row with its special tokens, at most `maxLength` tokens long; UserError where no text would fit beside the special tokens. */
  encode(text: string, pair: string | null, maxLength: number): Encoded
  /** The text's own tokens with the characters that each stands for; UserError where the tokenizer's steps do not tell these. */
  locate(text: string): Located
  /** Tokens of a text and its pair as one row with special tokens, and where those of the pair begin. */
  joined(text: readonly number[], pair: readonly number[]): Encoded & { readonly pairStart: number }
  /** The tokens of a text, without special ones; where words begin with a space, so does a text that stands for such. */
  tokens(text: string): number[]
  /** Tokens as a single row with its special tokens. */
  framed(ids: readonly number[]): Encoded
  readonly special: SpecialTokens
  /** How conversations become texts: by the model's template, or another in its place. UserError where there is none. */
  chat(own: string | null): ChatTemplate
  /** A token as text. */
  word(id: number): string
  /** Tokens as text, without special ones. */
  decode(ids: readonly number[]): string
}

/** Where the tokens of texts are looked up, and kept once they are made. */
export interface TokenStore {
  tokensOf(text: string, make: () => number[]): number[]
}

const tokenizers = (): typeof import('@huggingface/tokenizers') => onDemand('@huggingface/tokenizers')

/** Special tokens are laid out here by id: the library gives RoBERTa's second text type 1, and loses the pair of a byte-level processor. */
function build(file: string, json: object, config: object): Library {
  const { Tokenizer: HubTokenizer } = tokenizers()
  try {
    const optional = { normalizer: null, pre_tokenizer: null, decoder: null, added_tokens: [] }
    const library = new HubTokenizer({ ...optional, ...json, post_processor: null }, config)
    makeExact(library as unknown as Steps, json)
    return library as unknown as Library
  } catch (error) {
    throw new UserError(`${file}: not a tokenizer this version can run (${(error as Error).message}). ${instead}`)
  }
}

/** Whether words have a letter for each of their bytes. */
function isByteLevel(preTokenizer: unknown): boolean {
  const { type, pretokenizers = [] } = (preTokenizer ?? {}) as { type?: unknown; pretokenizers?: unknown[] }
  return type === 'ByteLevel' || pretokenizers.some(isByteLevel)
}

/** Pieces with the tokens of the texts in their places. */
function laidOut(pieces: readonly Piece[], texts: Readonly<Record<'A' | 'B', readonly number[]>>): Encoded {
  const parts = pieces.map((piece) => ({ ids: 'ids' in piece ? piece.ids : texts[piece.text], type: piece.type }))
  // Several times as fast as flatMap, and there are many rows.
  const together = (lists: readonly (readonly number[])[]): number[] => ([] as number[]).concat(...lists)
  return {
    ids: together(parts.map(({ ids }) => ids)),
    types: together(parts.map(({ ids, type }) => new Array<number>(ids.length).fill(type))),
  }
}

/**
 * The tokenizer of a model folder: tokenizer.json, or the vocabulary files of its model type, and tokenizer_config.json where there is one.
 * Truncation and padding that the file carries itself are not applied. `storeOf` gives the store for a tokenizer of these settings, if there
 * is one. UserError for a folder without either or with what cannot be run; the latter, where there is a store, at the first text that it
 * lacks.
 */
export function loadTokenizer(folder: string, storeOf: (settings: object) => TokenStore | null = () => null): Tokenizer {
  const { file, json } = tokenizerJson(folder)
  const parsed = z.looseObject({ post_processor: postProcessor, pre_tokenizer: z.unknown() }).safeParse(json)
  if (!parsed.success) throw new UserError(`${file}: not a tokenizer this version can run (${z.prettifyError(parsed.error)}). ${instead}`)
  const settings = parsed.data
  const config = readSettings(folder, 'tokenizer_config.json')
  const frame = tokenFrame(settings.post_processor)

  const store = storeOf({ json, config })
  let built: Library | null = null
  const library = (): Library => (built ??= build(file, settings, config))
  // A store's tokens were made with these settings: the library is needed for other texts alone.
  if (!store) library()

  function tokensOf(text: string): number[] {
    if (text === '') return []
    const make = (): number[] => {
      const ids: (number | undefined)[] = library().encode(text, { add_special_tokens: false }).ids
      // A vocabulary without an unknown token drops what it does not know, as in Hugging Face's.
      return ids.filter((id) => id !== undefined)
    }
    return store ? store.tokensOf(text, make) : make()
  }

  function encode(text: string, pair: string | null, maxLength: number): Encoded {
    const pieces: readonly Piece[] = pair === null ? frame.single : frame.pair
    const special = pieces.reduce((sum, piece) => sum + ('ids' in piece ? piece.ids.length : 0), 0)
    if (maxLength <= special) {
      throw new UserError(`a length of ${maxLength} tokens leaves no room for text beside ${special} special tokens. Raise the length.`)
    }
    const [first, second] = [tokensOf(text), pair === null ? [] : tokensOf(pair)]
    const [firstKept, secondKept] = longestFirst(first.length, second.length, maxLength - special)
    const row = laidOut(pieces, { A: first.slice(0, firstKept), B: second.slice(0, secondKept) })
    return { ...row, cut: firstKept + secondKept < first.length + second.length }
  }

  function locate(text: string): Located {
    const found = locateTokens(library(), isByteLevel(settings.pre_tokenizer), text)
    if (found) return found
    throw new UserError(`${file} does not tell which characters its tokens stand for. ${instead}`)
  }

  function joined(text: readonly number[], pair: readonly number[]): Encoded & { pairStart: number } {
    const before = frame.pair.slice(
      0,
      frame.pair.findIndex((piece) => 'text' in piece && piece.text === 'B'),
    )
    const texts = { A: text, B: pair }
    return { ...laidOut(frame.pair, texts), pairStart: laidOut(before, texts).ids.length }
  }

  return {
    encode,
    locate,
    joined,
    tokens: tokensOf,
    framed: (ids) => laidOut(frame.single, { A: ids, B: [] }),
    special: specialTokens(settings, config),
    chat: (own) => openChatTemplate(folder, own),
    decode(ids) {
      if (ids.length === 0) return ''
      const text = library().decode([...ids], { skip_special_tokens: true })
      return text.trim()
    },
    word: (id) => library().decode([id], { clean_up_tokenization_spaces: false }),
  }
}
