import type { Example } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import type { TaskName } from '../heads/index.ts'
import { beliefsOf, calibration, disagreement } from '../tasks/beliefs.ts'
import { together } from '../tasks/distributions.ts'
import { openAdapted } from './adapted.ts'
import { openAnswers } from './answers.ts'
import { arrangement } from './arrangement.ts'
import { type DatasetOptions, dataset } from './dataset.ts'
import { parseInference } from './inference.ts'
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
  /**
   * How the adapter of a mixture answers: `merged` (by default), `expert:K` (one expert everywhere, from 0), `random` (a route of its own
   * for each row) or `ensemble:N` (the mean probabilities of N random routes; with `logits` their logs). All but `merged` need the
   * experts and settings of the run beside the adapter's folder.
   */
  readonly inference?: string
  /** Of random routes; 1 by default. */
  readonly seed?: number
}

/** A text, a text and its pair, columns by name, or a row of a data file. */
export type Question = string | readonly [string, string] | Readonly<Record<string, unknown>> | Row

/** A model that answers. */
export interface Predictor {
  readonly labels: readonly string[]
  /** For each question label and scores (for regression a score), or with `logits` the raw numbers. */
  predict(questions: readonly Question[], options?: { readonly logits?: boolean }): Promise<Record<string, unknown>[]>
  /** The task's metrics over labelled rows, but for regressions with calibration error, and for random routes entropy and information. */
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
 * @throws UserError where model and adapter do not fit, nothing tells the task, or there is no mixture to route through
 * @example
 * const model = await openPredictor({ model: 'models/minilm', adapter: 'runs/mrpc/adapter' })
 * const [answer] = await model.predict([['He left.', 'He went away.']])
 */
export async function openPredictor(options: PredictorOptions): Promise<Predictor> {
  const { adapter = null, task = null, labels = null, batchSize = 64, inference = 'merged', seed = 1 } = options
  parseInference(inference)
  const model = await findModel(options.model)
  const adapted = openAdapted(model, { adapter, task, labels })
  const { open, adapter: loaded } = adapted
  const reading = loaded?.card.reading
  const maxLength = options.maxLength ?? reading?.maxLength ?? 128
  const named = options.columns ?? reading?.columns ?? null
  const answers = await openAnswers(adapted, { adapter, inference, seed, batchSize })
  const { reserved } = arrangement(open.subject, adapted.method)
  const examplesOf = (rows: readonly Row[], labelled: boolean) => {
    // Columns that the run named hold for data files of its kind, not for questions put otherwise.
    const columns = options.columns || rows.every(({ values }) => named === null || values.has(named.text)) ? named : null
    return dataset(model, open.task, open.labels, rows, { columns, maxLength, labelled, reserved })
  }
  const { distributions } = open.task
  /** What the members say of each example, one by one and together. */
  const answer = async (examples: readonly Example[]) => {
    const all = await answers.members(examples)
    const members = examples.map((_, i) => all.map((each) => each[i]!))
    return { members, logits: members.map((each) => together(each, distributions, open.labels.length)) }
  }
  return {
    labels: open.labels,
    async predict(questions, { logits = false } = {}) {
      const { logits: rows } = await answer(examplesOf(questions.map(rowOf), false))
      return rows.map((row) => (logits ? open.task.raw(row, open.labels) : open.task.answer(row, open.labels)))
    },
    async evaluate(rows) {
      const examples = examplesOf(rows, true)
      const { members, logits } = await answer(examples)
      const metrics = open.task.metrics(logits, examples, open.labels)
      if (!distributions) return metrics
      const beliefs = examples.flatMap(({ label }, i) => beliefsOf(members[i]!, label!, distributions, open.labels.length))
      return { ...metrics, ...calibration(beliefs), ...(answers.draws && disagreement(beliefs)) }
    },
    close: () => answers.close(),
  }
}
