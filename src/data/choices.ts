import { z } from 'zod'
import { UserError } from '../errors.ts'
import type { Columns } from './reading.ts'
import { at, cellOf, columnsOf, type Row, shown } from './row.ts'

/** Columns of a question whose answer is one of several. */
export interface ChoiceColumns {
  readonly text: string
  /** What stands before each choice, such as the beginning of its sentence; null where nothing does. */
  readonly pair: string | null
  /** A column of a list, or one for each choice. */
  readonly choices: string | readonly string[]
  readonly label: string
}

/** A question's choices. */
export interface Choices {
  readonly texts: readonly string[]
  /** What each is called: by the row, else its number from 0. */
  readonly names: readonly string[]
}

/** Usual columns: of SWAG, RACE, HellaSwag, ARC and CommonsenseQA, OpenBookQA, PIQA. */
const usual: readonly ChoiceColumns[] = [
  { text: 'sent1', pair: 'sent2', choices: ['ending0', 'ending1', 'ending2', 'ending3'], label: 'label' },
  { text: 'article', pair: 'question', choices: 'options', label: 'answer' },
  { text: 'ctx', pair: null, choices: 'endings', label: 'label' },
  { text: 'question', pair: null, choices: 'choices', label: 'label' },
  { text: 'question', pair: null, choices: 'choices', label: 'answerKey' },
  { text: 'question_stem', pair: null, choices: 'choices', label: 'answerKey' },
  { text: 'goal', pair: null, choices: ['sol1', 'sol2'], label: 'label' },
]

/** The columns that a run names, else those of a usual form; UserError where a row has neither. */
export function choiceColumns(row: Row, named: Columns | null): ChoiceColumns {
  const has = (names: string | readonly string[]): boolean => [names].flat().every((name) => row.values.has(name))
  if (named?.choices) return { text: named.text, pair: named.pair ?? null, choices: named.choices, label: named.label ?? 'label' }
  const known = usual.filter(({ text, choices }) => (!named || named.text === text) && has(text) && has(choices))
  const guessed = known.find(({ label }) => has(label)) ?? known[0]
  if (guessed) return { ...guessed, ...(named?.pair && { pair: named.pair }), ...(named?.label && { label: named.label }) }
  throw new UserError(
    `${at(row)}: no columns that look like a question and its choices; the row has ${columnsOf(row)}. ` +
      'Name them: {text: question, choices: options, label: answer}, or choices: [first, second].',
  )
}

const text = z.string().min(1)
const list = z.union([
  z.object({ text: z.array(text), label: z.array(z.union([z.string(), z.number()]).transform(String)) }),
  z.array(z.object({ text, label: z.union([z.string(), z.number()]).transform(String) })).transform((choices) => ({
    text: choices.map((choice) => choice.text),
    label: choices.map((choice) => choice.label),
  })),
  z.array(text).transform((texts) => ({ text: texts, label: texts.map((_, i) => String(i)) })),
])

/** The choices of a row; empty columns behind the last are none. UserError for another form, or for less than two. */
export function choicesOf(row: Row, columns: string | readonly string[]): Choices {
  const isFilled = (column: string): boolean => ![undefined, null, ''].includes(row.values.get(column) as null)
  const filled = typeof columns === 'string' ? [] : columns.slice(0, columns.findLastIndex(isFilled) + 1)
  const given = typeof columns === 'string' ? cellOf(row, columns) : filled.map((column) => cellOf(row, column))
  const found = list.safeParse(given)
  const { text: texts = [], label: names = [] } = found.data ?? {}
  const what = `${at(row)}: "${typeof columns === 'string' ? columns : columns.join('", "')}"`
  if (!found.success || texts.length !== names.length) {
    throw new UserError(
      `${what} is ${shown(given)}; expected a list of texts, or {"text": [...], "label": [...]} of equal lengths (.jsonl).`,
    )
  }
  if (texts.length < 2) throw new UserError(`${what} has ${texts.length} choices; expected two or more. Leave the row out.`)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new UserError(`${what} calls two choices ${shown(twice)}; give each a label of its own.`)
  return { texts, names }
}

/** The place of the right choice: by its name, or by its letter where choices have no names of their own. UserError for any other. */
export function rightChoice(row: Row, column: string, names: readonly string[]): number {
  const value = cellOf(row, column)
  const name = String(value)
  const numbered = names.every((known, i) => known === String(i))
  const letter = /^[A-Z]$/.test(name) && numbered ? name.charCodeAt(0) - 'A'.charCodeAt(0) : -1
  const place = letter >= 0 && letter < names.length ? letter : names.indexOf(name)
  if (place >= 0) return place
  const counted = numbered ? ' (numbered from 0; letters from A do as well)' : ''
  throw new UserError(`${at(row)}: "${column}" is ${shown(value)}; the row's choices are ${names.join(', ')}${counted}.`)
}
