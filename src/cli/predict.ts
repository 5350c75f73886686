import type { Row } from '../data/read-rows.ts'
import { readRows } from '../data/read-rows.ts'
import { UserError } from '../errors.ts'
import { openAdapted } from '../evaluate/adapted.ts'
import { dataset } from '../evaluate/dataset.ts'
import { openForward } from '../evaluate/forward.ts'
import { findModel } from '../evaluate/open-task.ts'
import { writeAtomically } from '../weights/atomic-file.ts'
import { type AdaptedFlags, type ColumnFlags, columnFlags, labelsFlag, positiveFlag, taskFlag } from './options.ts'

export interface PredictFlags extends AdaptedFlags, ColumnFlags {
  readonly data?: string
  readonly text?: readonly string[]
  readonly output?: string
  readonly logits?: boolean
  readonly maxLength: string
  readonly batchSize: string
}

/** The rows to answer: a file's, or one made of `--text`. */
async function rowsOf({ data, text }: PredictFlags): Promise<readonly Row[]> {
  if ((data === undefined) === (text === undefined)) throw new UserError('Give either --data FILE or --text "a sentence" ["its pair"].')
  if (data !== undefined) return readRows(data)
  if (text!.length > 2) throw new UserError('--text takes a sentence and at most its pair; quote each of them.')
  const values = text!.length === 2 ? { sentence1: text![0], sentence2: text![1] } : { text: text![0] }
  return [{ values: new Map(Object.entries(values)), file: '--text', line: 1 }]
}

/** Answers one object a row: label and scores, or raw logits. Written to `--output` whole, else returned as text. */
export async function predictCommand(flags: PredictFlags): Promise<string> {
  const rows = await rowsOf(flags)
  const model = await findModel(flags.model)
  const { open, method, state } = openAdapted(model, {
    adapter: flags.adapter ?? null,
    task: taskFlag(flags.task),
    labels: labelsFlag(flags.labels),
  })
  const { task, labels } = open
  const maxLength = positiveFlag('max-length', flags.maxLength)
  const columns = flags.text ? null : columnFlags(flags)
  const examples = dataset(model, task, labels, rows, { columns, maxLength, labelled: false })
  const forward = await openForward(open.subject, method, state, { batchSize: positiveFlag('batch-size', flags.batchSize) })
  const logits = await forward.logits(examples, state)
  await forward.close()
  const lines = logits.map((row) => `${JSON.stringify(flags.logits ? task.raw(row, labels) : task.answer(row, labels))}\n`)
  if (flags.output === undefined) return lines.join('')
  const encoder = new TextEncoder()
  writeAtomically(flags.output, (append) => {
    for (const line of lines) append(encoder.encode(line))
  })
  return `${lines.length} answers in ${flags.output}\n`
}
