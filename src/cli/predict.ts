import { readRows } from '../data/read-rows.ts'
import { UserError } from '../errors.ts'
import type { Question } from '../evaluate/answering.ts'
import { openPredictor } from '../evaluate/predictor.ts'
import { writeAtomically } from '../weights/atomic-file.ts'
import { type PredictorFlags, predictorOptions } from './options.ts'

export interface PredictFlags extends PredictorFlags {
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

/** Answers one JSON object a row. Written to `--output` whole, else returned as text. */
export async function predictCommand(flags: PredictFlags): Promise<string> {
  const questions = await questionsOf(flags)
  const predictor = await openPredictor(predictorOptions(flags))
  const answers = await predictor.predict(questions, { logits: flags.logits ?? false })
  await predictor.close()
  const lines = answers.map((answer) => `${JSON.stringify(answer)}\n`)
  if (flags.output === undefined) return lines.join('')
  const encoder = new TextEncoder()
  writeAtomically(flags.output, (append) => {
    for (const line of lines) append(encoder.encode(line))
  })
  return `${lines.length} answers in ${flags.output}\n`
}
