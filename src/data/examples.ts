import { UserError } from '../errors.ts'
import { guessColumns, type PairColumns } from './columns.ts'
import { at, cellOf, type Place, type Row, shown } from './row.ts'
import { type DecoderStart, teacherForced } from './teacher-forced.ts'
import { bringsTokens, givenTokens, type Limits, type Tokens } from './token-row.ts'
import type { Encoded, Tokenizer } from './tokenizer.ts'

/** A class index or a number; one class a token (-100 ignored); or the first and last token of an answer. */
export type Label = number | readonly number[] | { readonly start: number; readonly end: number }

/** A row as the model takes it: its tokens, its label and where it came from. */
export interface Example extends Tokens, Place {
  readonly label: Label | null
  /** What a decoder is given of the row. */
  readonly decoder?: Tokens
  /** Tokens that the model is asked beside its own, and with them is one question: the choices after the first. */
  readonly others?: readonly Tokens[]
  /** Tokens that end what is written after it, besides those that the model names. */
  readonly ends?: readonly number[]
}

/** A row as a task asks the model about it: by one example, or by several that are answered together. */
export interface Item extends Place {
  /** What the row is called, in its answer too. */
  readonly id?: unknown
  /** Which of several files it is of that have scores of their own, by the name in the run file. */
  readonly set?: string
  readonly examples: readonly Example[]
}

/** All tokens that the model is asked of an example. */
export const tokenCount = ({ ids, others = [] }: Example): number => ids.length + others.reduce((sum, other) => sum + other.ids.length, 0)

/** The examples of items, one after another. */
export const examplesIn = (items: readonly Item[]): Example[] => items.flatMap(({ examples }) => examples)
/** What turns texts into tokens. */
export type TextEncoder = Pick<Tokenizer, 'encode'>

/** The tokens of a row of a form of its own, with its label. */
export type OwnRow = Encoded & { readonly label: Label | null }

export interface ExampleOptions extends Limits {
  /** Null: guessed from the names of the first row that has text. */
  readonly columns: PairColumns | null
  /** Called at the first row that has text. */
  readonly tokenizer: () => TextEncoder
  /** Texts are truncated to so many tokens, special tokens included; rows with `input_ids` are not. */
  readonly maxLength: number
  readonly label: (row: Row) => Label | null
  /** Reads rows of a form of its own with their label; null for others. */
  readonly own?: (row: Row) => OwnRow | null
  /** Of models that write a second text, whose tokens the label gives. */
  readonly decoder?: DecoderStart
}

/** A row's text; UserError for anything else. */
export function textOf(row: Row, column: string): string {
  const text = cellOf(row, column)
  if (typeof text === 'string') return text
  throw new UserError(`${at(row)}: "${column}" is ${shown(text)}; expected text.`)
}

function tokenise(row: Row, columns: PairColumns, tokenizer: TextEncoder, options: ExampleOptions): Tokens {
  const pair = columns.pair ?? null
  // An empty second text is one, as in Hugging Face's batches; an empty first text is a row without text.
  const second = pair === null ? null : row.values.get(pair) === '' ? '' : textOf(row, pair)
  const encoded = tokenizer.encode(textOf(row, columns.text), second, Math.min(options.maxLength, options.maxPositions))
  if (encoded.ids.length === 0) throw new UserError(`${at(row)}: "${columns.text}" has no tokens. Leave the row out.`)
  return modelTokens(encoded, row, options)
}

/** Tokens that a tokenizer made, all attended; UserError for those that the model does not know. */
export function modelTokens({ ids, types, cut }: Encoded, row: Row, options: Limits): Tokens {
  const foreign = ids.find((id) => !(id >= 0 && id < options.vocabularySize))
  if (foreign !== undefined) {
    throw new UserError(
      `${at(row)}: token ${foreign} of the tokenizer is not in the model's vocabulary of ${options.vocabularySize}. Take the model's tokenizer.`,
    )
  }
  const typeLimit = options.typeVocabularySize ?? Infinity
  const known = types.every((type) => type < typeLimit)
  if (!known) throw new UserError(`${at(row)}: a pair needs 2 token types, but the model has ${typeLimit}. Take the model's own tokenizer.`)
  return { ids: Int32Array.from(ids), types: Int32Array.from(types), mask: new Uint8Array(ids.length).fill(1), ...(cut && { cut }) }
}

/** The label, if it fits the row: one entry a token, a span inside the row; that of a `second` text has a length of its own. */
function fitted(label: Label | null, row: Row, tokens: number, second: boolean): Label | null {
  if (label === null || typeof label === 'number' || second) return label
  if ('start' in label) {
    if (label.end < tokens) return label
    throw new UserError(`${at(row)}: the span ends at token ${label.end}, but the row has ${tokens} tokens (numbered from 0).`)
  }
  if (label.length === tokens) return label
  throw new UserError(`${at(row)}: ${label.length} token labels for ${tokens} tokens. Give "input_ids" with one label for each.`)
}

/** The rows as examples, in order; UserError with file and line for the first row that does not fit. */
export function examplesOf(rows: readonly Row[], options: ExampleOptions): Example[] {
  const { decoder } = options
  let columns = options.columns
  let tokenizer: TextEncoder | null = null
  return rows.map((row) => {
    const own = options.own?.(row)
    if (own) return { ...modelTokens(own, row, options), label: own.label, file: row.file, line: row.line }
    let tokens: Tokens
    if (bringsTokens(row)) {
      tokens = givenTokens(row, options)
    } else {
      columns ??= guessColumns(row)
      tokenizer ??= options.tokenizer()
      tokens = tokenise(row, columns, tokenizer, options)
    }
    const label = fitted(options.label(row), row, tokens.ids.length, decoder !== undefined)
    return { ...tokens, label, ...(decoder && { decoder: teacherForced(label, decoder) }), file: row.file, line: row.line }
  })
}
