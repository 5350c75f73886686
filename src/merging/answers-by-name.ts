import { at, type Row } from '../data/row.ts'
import { UserError } from '../errors.ts'
import { type Answering, type Question, rowsOf } from '../evaluate/answering.ts'
import { grouped } from '../grouped.ts'
import type { Answer } from '../tasks/answer.ts'

/** What `make` gives for a row; its errors begin with the row's place. */
function placed<T>(row: Row, make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${at(row)}: ${error.message}`) : error
  }
}

/**
 * Answers each question by the name beside it, those of one name together; in the order of the questions.
 * @throws UserError for another number of names, and what `open` throws, with the place of the first question of that name
 */
export async function answersByName<Name>(
  questions: readonly Question[],
  names: readonly Name[],
  open: (name: Name) => Answering,
  asked: { readonly logits?: boolean },
): Promise<Answer[]> {
  if (names.length !== questions.length)
    throw new UserError(`${names.length} name(s) of adapters for ${questions.length} questions; give one for each.`)
  const rows = rowsOf(questions)
  const groups = grouped(names.keys(), (i) => names[i]!)
  const opened = [...groups].map(([name, indices]) => ({ indices, answers: placed(rows[indices[0]!]!, () => open(name)) }))
  const result = new Array<Answer>(rows.length)
  for (const { indices, answers } of opened) {
    const given = await answers.predict(
      indices.map((i) => rows[i]!),
      asked,
    )
    for (const [k, i] of indices.entries()) result[i] = given[k]!
  }
  return result
}
