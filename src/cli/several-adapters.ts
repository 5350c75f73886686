import { cellOf, type Row } from '../data/row.ts'
import { UserError } from '../errors.ts'
import type { Question } from '../evaluate/answering.ts'
import type { PredictorOptions } from '../evaluate/predictor.ts'
import { openAdapters } from '../merging/open-adapters.ts'
import type { Answer } from '../tasks/answer.ts'

/** What stands in a column of adapters for the model alone. */
const BASE = '__base__'

/** `name=folder`. */
function namedFolder(text: string): readonly [string, string] {
  const [, name, folder] = /^([^=]+)=(.+)$/.exec(text) ?? []
  if (name === undefined || name === BASE)
    throw new UserError(`--adapter ${text}: with --adapter-column expected name=folder, with a name other than ${BASE}.`)
  return [name, folder!]
}

/** The adapter that a row names; null for the model alone. */
function nameIn(row: Row, column: string): string | null {
  const value = row.values.get(column)
  if (row.values.has(column) && (value === null || value === '')) return null
  const name = String(cellOf(row, column))
  return name === BASE ? null : name
}

type Answers = Promise<Answer[]>

/** Answers each row with the adapter that its column names. */
export async function answersByColumn(
  options: PredictorOptions,
  given: readonly string[],
  rows: readonly Row[],
  column: string,
  logits: boolean,
): Answers {
  const named = given.map(namedFolder)
  const adapters = rows.map((row) => nameIn(row, column))
  const model = await openAdapters(options)
  try {
    for (const [name, folder] of named) model.load(name, folder)
    return await model.predict(rows, { logits, adapters })
  } finally {
    await model.close()
  }
}

/** Answers with adapters in turn, the first below the others. */
export async function answersByStack(
  options: PredictorOptions,
  folders: readonly string[],
  questions: readonly Question[],
  logits: boolean,
): Answers {
  const model = await openAdapters(options)
  try {
    for (const [k, folder] of folders.entries()) model.load(`${k + 1}`, folder)
    model.stack(model.names)
    return await model.predict(questions, { logits })
  } finally {
    await model.close()
  }
}
