import type { Row } from '../data/read-rows.ts'
import type { TaskName } from '../heads/index.ts'
import { openAdapted } from './adapted.ts'
import { arrangement } from './arrangement.ts'
import { type DatasetOptions, dataset } from './dataset.ts'
import { openForward } from './forward.ts'
import { findModel } from './open-task.ts'

export interface PredictorOptions {
  /** A model folder, or the name of one on the Hugging Face hub. */
  readonly model: string
  /** The folder of a saved adapter; without it the model answers as it is. */
  readonly adapter?: string | null
  /** Needed where neither adapter nor model tells. */
  readonly task?: TaskName | null
  /** Class names in order, in place of the adapter's or model's. */
  readonly labels?: readonly string[] | null
  /** Columns of the rows; by default those of the adapter's run, else guessed from their names. */
  readonly columns?: DatasetOptions['columns']
  /** Texts are truncated to so many tokens; by default as in the adapter's run, else to 128. */
  readonly maxLength?: number
  /** Rows at a time; 64 by default. */
  readonly batchSize?: number
  /** Told of downloads, and of what is odd about the adapter, such as tensors that find no place. */
  readonly notice?: (text: string) => void
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
  const { adapter = null, task = null, labels = null, batchSize = 64, notice = () => {} } = options
  const model = await findModel(options.model, notice)
  const { open, adapter: loaded, method, state } = openAdapted(model, { adapter, task, labels }, notice)
  const reading = loaded?.card.reading
  const maxLength = options.maxLength ?? reading?.maxLength ?? 128
  const named = options.columns ?? reading?.columns ?? null
  const forward = await openForward(open.subject, method, state, { batchSize })
  const { reserved } = arrangement(open.subject, method)
  const examplesOf = (rows: readonly Row[], labelled: boolean) => {
    // Columns that the run named hold for data files of its kind, not for questions put otherwise.
    const columns = options.columns || rows.every(({ values }) => named === null || values.has(named.text)) ? named : null
    return dataset(model, open.task, open.labels, rows, { columns, maxLength, labelled, reserved })
  }
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
