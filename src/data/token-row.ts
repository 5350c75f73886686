import { UserError } from '../errors.ts'
import { at, type Row, shown } from './row.ts'

/** What a model can take in. */
export interface Limits {
  readonly vocabularySize: number
  /** The longest row, in tokens. */
  readonly maxPositions: number
  /** The number of token types; left out where the model has none. */
  readonly typeVocabularySize?: number
}

/** Tokens of a row, each [tokens]; `mask` is 1 where a token may be attended. */
export interface Tokens {
  readonly ids: Int32Array
  readonly types: Int32Array
  readonly mask: Uint8Array
  /** Whether a text lost tokens to fit. */
  readonly cut?: boolean
}

/** The column as integers in 0 .. below-1; `length` is what it must have, or null where any will do. */
function integers(row: Row, column: string, below: number, length: number | null): number[] | null {
  const value = row.values.get(column) ?? null
  if (value === null) return null
  if (!Array.isArray(value)) throw new UserError(`${at(row)}: "${column}" is ${shown(value)}; expected an array of integers (.jsonl).`)
  if (length !== null && value.length !== length) {
    throw new UserError(`${at(row)}: "${column}" has ${value.length} entries, but "input_ids" has ${length}.`)
  }
  const wrong = value.findIndex((entry) => !(Number.isInteger(entry) && entry >= 0 && entry < below))
  if (wrong < 0) return value
  throw new UserError(`${at(row)}: "${column}"[${wrong}] is ${shown(value[wrong])}; expected an integer from 0 to ${below - 1}.`)
}

/** Whether a row brings its own tokens; an empty cell is none. */
export const bringsTokens = ({ values }: Row): boolean => (values.get('input_ids') ?? null) !== null

/**
 * The tokens of a row that brings its own `input_ids`, with `attention_mask` and `token_type_ids` where it has them; kept whole, masked
 * tokens included. UserError for values out of range, other lengths, or more tokens than the model has positions.
 */
export function givenTokens(row: Row, limits: Limits): Tokens {
  const ids = integers(row, 'input_ids', limits.vocabularySize, null) ?? []
  if (ids.length === 0) throw new UserError(`${at(row)}: "input_ids" is empty. Leave the row out.`)
  if (ids.length > limits.maxPositions) {
    throw new UserError(
      `${at(row)}: ${ids.length} tokens, but the model has ${limits.maxPositions} positions for them. Shorten or split the row.`,
    )
  }
  const mask = integers(row, 'attention_mask', 2, ids.length) ?? ids.map(() => 1)
  if (!mask.includes(1)) throw new UserError(`${at(row)}: "attention_mask" masks every token. Leave the row out.`)
  const types = integers(row, 'token_type_ids', limits.typeVocabularySize ?? 2 ** 31, ids.length) ?? ids.map(() => 0)
  return { ids: Int32Array.from(ids), types: Int32Array.from(types), mask: Uint8Array.from(mask) }
}
