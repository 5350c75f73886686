import { readRows } from '../data/read-rows.ts'
import { UserError } from '../errors.ts'
import type { Question } from '../evaluate/answering.ts'
import { openPredictor } from '../evaluate/predictor.ts'
import type { Answer } from '../tasks/answer.ts'
import { writeLines } from './answer-lines.ts'
import { type PredictorFlags, predictorOptions } from './options.ts'
import { answersByColumn, answersByStack } from './several-adapters.ts'

export interface PredictFlags extends Omit<PredictorFlags, 'adapter'> {
  readonly adapter: readonly string[]
  readonly adapterColumn?: string
  readonly stack?: boolean
  readonly data?: string
  readonly text?: readonly string[]
  readonly output?: string
  readonly logits?: boolean
}

/** The rows to answer: a file's, or one made of `--text`. */
async function questionsOf({ data, text }: PredictFlags): Promise<readonly Question[]> {
  if ((data === undefined) === (text === undefined)) throw new UserError('Give either --data FILE or --text "a sentence" ["its pair"].')
  if (data !== undefined) return readRows(data)
  const [first, second, ...rest] = text!
  if (rest.length > 0) throw new UserError('--text takes a sentence and at most its pair; quote each of them.')
  return [second === undefined ? first! : [first!, second]]
}

/** By one adapter, by that which each row names, or by all in turn. */
async function answersTo(flags: PredictFlags): Promise<Answer[]> {
  const { adapter, adapterColumn, stack = false, data, logits = false, ...rest } = flags
  const several = adapterColumn !== undefined || stack
  if (adapterColumn !== undefined && stack) throw new UserError('Give --adapter-column or --stack, not both.')
  if (several && rest.inference !== undefined && rest.inference !== 'merged')
    throw new UserError(`--inference ${rest.inference} is for one adapter; leave it out with several.`)
  if (!several && adapter.length > 1)
    throw new UserError(
      `There are ${adapter.length} adapters: give --adapter-column with the column that names one for each row, or --stack to apply all in turn.`,
    )
  const options = predictorOptions(rest)
  if (adapterColumn !== undefined) {
    if (data === undefined || flags.text) throw new UserError('--adapter-column is of the rows of a file: give --data alone.')
    return answersByColumn(options, adapter, await readRows(data), adapterColumn, logits)
  }
  const questions = await questionsOf(flags)
  if (stack) return answersByStack(options, adapter, questions, logits)
  const predictor = await openPredictor({ ...options, adapter: adapter[0] ?? null })
  const answers = await predictor.predict(questions, { logits })
  await predictor.close()
  return answers
}

/** Answers one JSON object a row. Written to `--output` whole, else returned as text. */
export async function predictCommand(flags: PredictFlags): Promise<string> {
  const answers = await answersTo(flags)
  const lines = answers.map((answer) => `${JSON.stringify(answer)}\n`)
  if (flags.output === undefined) return lines.join('')
  writeLines(flags.output, lines)
  return `${lines.length} answers in ${flags.output}\n`
}
