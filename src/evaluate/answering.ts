import type { Example } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import { beliefsOf, calibration, disagreement } from '../tasks/beliefs.ts'
import { together } from '../tasks/distributions.ts'
import type { Answers } from './answers.ts'
import { asked } from './dataset.ts'
import type { OpenTask } from './open-task.ts'
import type { Reader } from './reader.ts'

/** A text, a text and its pair, columns by name, or a row of a data file. */
export type Question = string | readonly [string, string] | Readonly<Record<string, unknown>> | Row

/** What answers questions. */
export interface Answering {
  readonly labels: readonly string[]
  /** For each question label and scores (for regression a score), or with `logits` the raw numbers. */
  predict(questions: readonly Question[], options?: { readonly logits?: boolean }): Promise<Record<string, unknown>[]>
  /** The task's metrics over labelled rows, but for regressions with calibration error, and for random routes entropy and information. */
  evaluate(rows: readonly Row[]): Promise<Record<string, number>>
}

const isRow = (question: Question): question is Row =>
  typeof question === 'object' && 'values' in question && question.values instanceof Map

/** A question as a row; its place is its number. */
export function rowOf(question: Question, index: number): Row {
  if (isRow(question)) return question
  const columns =
    typeof question === 'string'
      ? { text: question }
      : Array.isArray(question)
        ? { sentence1: question[0], sentence2: question[1] }
        : question
  return { values: new Map<string, unknown>(Object.entries(columns)), file: 'question', line: index + 1 }
}

/** Answers in the words of a task, by one voice or several. */
export function answering(
  { task, labels }: OpenTask,
  examplesOf: Reader,
  { draws, members }: Pick<Answers, 'draws' | 'members'>,
): Answering {
  const { distributions } = task
  /** What the members say of each example, one by one and together. */
  const ask = async (examples: readonly Example[]) => {
    const all = await members(examples)
    const voices = examples.map((_, i) => all.map((each) => each[i]!))
    return { voices, logits: voices.map((each) => together(each, distributions, labels.length)) }
  }
  return {
    labels,
    async predict(questions, { logits = false } = {}) {
      const examples = examplesOf(questions.map(rowOf), false)
      const { logits: rows } = await ask(examples)
      return rows.map((row, i) => (logits ? task.raw(row, labels) : task.answer(row, labels, examples[i]!)))
    },
    async evaluate(rows) {
      const examples = asked(task, examplesOf(rows, true))
      const { voices, logits } = await ask(examples)
      const metrics = task.metrics(logits, examples, labels)
      if (!distributions) return metrics
      const beliefs = examples.flatMap(({ label }, i) => beliefsOf(voices[i]!, label!, distributions, labels.length))
      return { ...metrics, ...calibration(beliefs), ...(draws && disagreement(beliefs)) }
    },
  }
}
