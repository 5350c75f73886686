import { readRows } from '../data/read-rows.ts'
import { UserError } from '../errors.ts'
import type { Question } from '../evaluate/answering.ts'
import { openPredictor } from '../evaluate/predictor.ts'
import type { Answer } from '../tasks/answer.ts'
import { assertTakesAnswers, writeLines } from './answer-lines.ts'
import { answering, collect } from './answering-options.ts'
import type { Define } from './commands.ts'
import { type PredictorFlags, predictorOptions } from './options.ts'
import { showing } from './progress.ts'

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
    const { answersByColumn } = await import('./several-adapters.ts')
    return answersByColumn(options, adapter, await readRows(data), adapterColumn, logits)
  }
  const questions = await questionsOf(flags)
  if (stack) {
    const { answersByStack } = await import('./several-adapters.ts')
    return answersByStack(options, adapter, questions, logits)
  }
  return showing(flags.quiet === true || data === undefined, async (progress) => {
    const predictor = await openPredictor({ ...options, adapter: adapter[0] ?? null, progress })
    const answers = await predictor.predict(questions, { logits })
    await predictor.close()
    return answers
  })
}

/** Answers one JSON object a row. Written to `--output` whole, else returned as text. */
export async function predictCommand(flags: PredictFlags): Promise<string> {
  if (flags.output !== undefined) assertTakesAnswers(flags.output, flags.data)
  const answers = await answersTo(flags)
  const lines = answers.map((answer) => `${JSON.stringify(answer)}\n`)
  if (flags.output === undefined) return lines.join('')
  writeLines(flags.output, lines)
  return `${lines.length} answers in ${flags.output}\n`
}

export const definePredict: Define = (command) =>
  answering(command)
    .option('--adapter <folder>', 'saved adapter; without it the model as it is; name=folder for each with --adapter-column', collect, [])
    .option('--adapter-column <name>', 'column that names the adapter of each row; empty or __base__ for the model as it is')
    .option('--stack', 'apply bottleneck adapters in turn, the first below the others')
    .option('--data <file>', 'jsonl, json, csv, tsv or txt, also gzipped, or parquet')
    .option('--text <text...>', 'a text, and its pair')
    .option('--output <file>', 'write the answers to a file, one JSON object a row')
    .option('--logits', 'raw logits instead of labels and scores')
    .action(async (flags: PredictFlags) => void process.stdout.write(await predictCommand(flags)))
