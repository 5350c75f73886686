import type { Row } from '../data/read-rows.ts'
import type { TaskName } from '../heads/index.ts'
import { openAdapted } from './adapted.ts'
import { openForward } from './forward.ts'
import { findModel } from './open-task.ts'
import { openReader, type ReaderOptions } from './reader.ts'

export interface PredictorOptions extends ReaderOptions {
  /** A model folder, or the name of one on the Hugging Face hub. */
  readonly model: string
  /** The folder of a saved adapter; without it the model answers as it is. */
  readonly adapter?: string | null
  /** Needed where neither adapter nor model tells. */
  readonly task?: TaskName | null
  /** Class names in order, in place of the adapter's or model's. */
  readonly labels?: readonly string[] | null
  /** Rows at a time; 64 by default. */
  readonly batchSize?: number
}

/** A text, a text and its pair, columns by name, or a row of a data file. */
export type Question = string | readonly [string, string] | Readonly<Record<string, unknown>> | Row

/** A model that answers. */
export interface Predictor {
  readonly labels: readonly string[]
  /** For each question label and scores (for regression a score), or with `logits` the raw numbers. */
  predict(questions: readonly Question[], options?: { readonly logits?: boolean }): Promise<Record<string, unknown>[]>
  /** The task's metrics over labelled rows. */
  evaluate(rows: readonly Row[]): Promise<Record<string, number>>
  close(): Promise<void>
}

const isRow = (question: Question): question is Row =>
  typeof question === 'object' && 'values' in question && question.values instanceof Map

function rowOf(question: Question, index: number): Row {
  if (isRow(question)) return question
  const columns =
    typeof question === 'string'
      ? { text: question }
      : Array.isArray(question)
        ? { sentence1: question[0], sentence2: question[1] }
        : question
  return { values: new Map<string, unknown>(Object.entries(columns)), file: 'question', line: index + 1 }
}

/**
 * Opens a model with an adapter for answers.
 * @throws UserError where model and adapter do not fit, or nothing tells the task
 * @example
 * const model = await openPredictor({ model: 'models/minilm', adapter: 'runs/mrpc/adapter' })
 * const [answer] = await model.predict([['He left.', 'He went away.']])
 */
export async function openPredictor(options: PredictorOptions): Promise<Predictor> {
  const { adapter = null, task = null, labels = null, batchSize = 64 } = options
  const model = await findModel(options.model)
  const { open, adapter: loaded, method, state } = openAdapted(model, { adapter, task, labels })
  const examplesOf = openReader(open, loaded?.card ?? null, options)
  const forward = await openForward(open.subject, method, state, { batchSize })
  return {
    labels: open.labels,
    async predict(questions, { logits = false } = {}) {
      const answers = await forward.logits(examplesOf(questions.map(rowOf), false), state)
      return answers.map((row) => (logits ? open.task.raw(row, open.labels) : open.task.answer(row, open.labels)))
    },
    async evaluate(rows) {
      const examples = examplesOf(rows, true)
      return open.task.metrics(await forward.logits(examples, state), examples, open.labels)
    },
    close: () => forward.close(),
  }
}
