import { Tokenizer as HubTokenizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { makeExact, type Steps } from './exact-steps.ts'
import { type Piece, postProcessor, tokenFrame } from './token-frame.ts'
import { instead, readSettings, tokenizerJson } from './tokenizer-files.ts'
import { longestFirst } from './truncation.ts'

/** Token ids and token types of a row, both [tokens]. */
export interface Encoded {
  ids: number[]
  types: number[]
}

export interface Tokenizer {
  /** The row with its special tokens, at most `maxLength` tokens long; UserError where no text would fit beside the special tokens. */
  encode(text: string, pair: string | null, maxLength: number): Encoded
}

/** Special tokens are laid out here by id: the library gives RoBERTa's second text type 1, and loses the pair of a byte-level processor. */
function build(file: string, json: object, config: object): HubTokenizer {
  try {
    const optional = { normalizer: null, pre_tokenizer: null, decoder: null, added_tokens: [] }
    const library = new HubTokenizer({ ...optional, ...json, post_processor: null }, config)
    makeExact(library as unknown as Steps, json)
    return library
  } catch (error) {
    throw new UserError(`${file}: not a tokenizer this version can run (${(error as Error).message}). ${instead}`)
  }
}

/**
 * The tokenizer of a model folder: tokenizer.json, or the vocabulary files of its model type, and tokenizer_config.json where there is one.
 * Truncation and padding that the file carries itself are not applied. UserError for a folder without either or with what cannot be run.
 */
export function loadTokenizer(folder: string): Tokenizer {
  const { file, json } = tokenizerJson(folder)
  const parsed = z.looseObject({ post_processor: postProcessor }).safeParse(json)
  if (!parsed.success) throw new UserError(`${file}: not a tokenizer this version can run (${z.prettifyError(parsed.error)}). ${instead}`)
  const library = build(file, parsed.data, readSettings(folder, 'tokenizer_config.json'))
  const frame = tokenFrame(parsed.data.post_processor)

  function tokensOf(text: string): number[] {
    const ids: (number | undefined)[] = text === '' ? [] : library.encode(text, { add_special_tokens: false }).ids
    // A vocabulary without an unknown token drops what it does not know, as in Hugging Face's.
    return ids.filter((id) => id !== undefined)
  }

  function encode(text: string, pair: string | null, maxLength: number): Encoded {
    const pieces: readonly Piece[] = pair === null ? frame.single : frame.pair
    const special = pieces.reduce((sum, piece) => sum + ('ids' in piece ? piece.ids.length : 0), 0)
    if (maxLength <= special) {
      throw new UserError(`a length of ${maxLength} tokens leaves no room for text beside ${special} special tokens. Raise the length.`)
    }
    const [first, second] = [tokensOf(text), pair === null ? [] : tokensOf(pair)]
    const [firstKept, secondKept] = longestFirst(first.length, second.length, maxLength - special)
    const texts = { A: first.slice(0, firstKept), B: second.slice(0, secondKept) }
    const parts = pieces.map((piece) => ({ ids: 'ids' in piece ? piece.ids : texts[piece.text], type: piece.type }))
    return { ids: parts.flatMap(({ ids }) => ids), types: parts.flatMap(({ ids, type }) => ids.map(() => type)) }
  }

  return { encode }
}
