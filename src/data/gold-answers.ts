import { z } from 'zod'
import { UserError } from '../errors.ts'
import { at, type Row, shown } from './row.ts'

/** An answer as it stands in its context, at the UTF-16 units [start, end). */
export interface GoldAnswer {
  readonly text: string
  readonly start: number
  readonly end: number
}

const texts = z.array(z.string().min(1))
const starts = z.array(z.number().int())
const forms = z.union([
  z.object({ text: texts, answer_start: starts }).transform(({ text, answer_start }) => ({ text, start: answer_start })),
  z
    .array(z.object({ text: z.string().min(1), answer_start: z.number().int() }))
    .transform((list) => ({ text: list.map(({ text }) => text), start: list.map(({ answer_start }) => answer_start) })),
])

/** The UTF-16 unit at which each character (Unicode code point) begins, and the length; null where all have one unit. */
function characterStarts(text: string): number[] | null {
  if (!/[\ud800-\udbff]/.test(text)) return null
  const result = [0]
  for (const character of text) result.push(result.at(-1)! + character.length)
  return result
}

/** How many characters (Unicode code points), as `answer_start` counts, lie before a UTF-16 unit. */
export const charactersBefore = (text: string, unit: number): number => [...text.slice(0, unit)].length

/**
 * The answers in a row's column, none for a question without an answer: `{ text: [...], answer_start: [...] }` or a list of
 * `{ text, answer_start }`, with starts counted in characters, as SQuAD has them.
 * @throws UserError for another form, for an answer outside of its context, and for a text that does not stand at its offset
 */
export function goldAnswers(row: Row, column: string, context: string): GoldAnswer[] {
  const value = row.values.get(column) ?? null
  const form = forms.safeParse(value)
  if (!form.success || form.data.text.length !== form.data.start.length) {
    throw new UserError(
      `${at(row)}: "${column}" is ${shown(value)}; expected {"text": [...], "answer_start": [...]} of equal lengths, both empty where there is no answer.`,
    )
  }
  const units = characterStarts(context)
  const length = units ? units.length - 1 : context.length
  return form.data.text.map((text, i) => {
    const first = form.data.start[i]!
    const last = first + [...text].length
    const what = `${at(row)}: answer ${i + 1} of "${column}", ${shown(text)},`
    if (first < 0 || last > length) {
      throw new UserError(`${what} is at characters ${first} to ${last}, but the context has ${length}. Correct answer_start.`)
    }
    const [start, end] = units ? [units[first]!, units[last]!] : [first, last]
    const found = context.slice(start, end)
    if (found !== text)
      throw new UserError(`${what} is not at character ${first} of the context, where ${shown(found)} stands. Correct answer_start.`)
    return { text, start, end }
  })
}
