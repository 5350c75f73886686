import { examplesIn, type Item } from '../data/examples.ts'
import type { Row } from '../data/read-rows.ts'
import { shown } from '../data/row.ts'
import { UserError } from '../errors.ts'
import { isObject } from '../is-object.ts'
import type { Answer } from '../tasks/answer.ts'
import { regrouped } from '../tasks/answered.ts'
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
  predict(questions: readonly Question[], options?: { readonly logits?: boolean }): Promise<Answer[]>
  /** The task's metrics over labelled rows, but for regressions with calibration error, and for random routes entropy and information. */
  evaluate(rows: readonly Row[]): Promise<Record<string, number>>
}

const isRow = (question: Question): question is Row => isObject(question) && question.values instanceof Map

const isPair = (question: Question): question is readonly [string, string] => Array.isArray(question)

/** The columns of a question; UserError for what is none. */
function columnsOf(question: Exclude<Question, Row>, place: string): Readonly<Record<string, unknown>> {
  const [text, pair] = isPair(question) ? question : [question]
  if (isPair(question) && (question.length !== 2 || typeof pair !== 'string'))
    throw new UserError(`${place} is no pair of texts: ${shown(question)}.`)
  if (typeof text === 'string') {
    if (text === '') throw new UserError(`${place} is empty; give a text.`)
    return pair === undefined ? { text } : { sentence1: text, sentence2: pair }
  }
  if (isObject(text)) return text
  throw new UserError(`${place} is ${shown(question)}; expected a text, a pair of texts, or columns by name.`)
}

/** A question as a row; its place is its number. UserError for what is no question. */
export function rowOf(question: Question, index: number): Row {
  if (isRow(question)) return question
  const columns = columnsOf(question, `Question ${index + 1}`)
  return { values: new Map<string, unknown>(Object.entries(columns)), file: 'question', line: index + 1 }
}

/** Questions as rows, in order. UserError for what is no list of questions, and for texts alone among pairs. */
export function rowsOf(questions: readonly Question[]): Row[] {
  if (!Array.isArray(questions)) throw new UserError(`The questions are ${shown(questions)}; expected a list of them.`)
  const rows = questions.map(rowOf)
  const alone = questions.findIndex((question) => typeof question === 'string')
  const paired = questions.findIndex(isPair)
  if (alone >= 0 && paired >= 0)
    throw new UserError(`Question ${alone + 1} is one text, and question ${paired + 1} a pair; ask them one after the other.`)
  return rows
}

/** Answers in the words of a task, by one voice or several. */
export function answering(
  { name, task, labels, subject: { head } }: OpenTask,
  read: Reader,
  { draws, members }: Pick<Answers, 'draws' | 'members'>,
): Answering {
  const { distributions } = task
  /** What the members say of each example, one by one and together. */
  const ask = async (items: readonly Item[], whole = false) => {
    const examples = examplesIn(items)
    const all = await members(examples, whole)
    if (all.length > 1 && head.told) {
      const way = 'ask one of them'
      throw new UserError(`Several voices have no common answer of the task ${name}, where each tells its likeliest words alone: ${way}.`)
    }
    const voices = examples.map((_, i) => all.map((each) => each[i]!))
    const logits = voices.map((each) => together(each, distributions, labels.length))
    return { examples, voices, answered: regrouped(items, logits) }
  }
  return {
    labels,
    async predict(questions, { logits = false } = {}) {
      const { answered } = await ask(read(rowsOf(questions), false), logits)
      return answered.map((each) => {
        const { id } = each.item
        return { ...(id !== undefined && { id }), ...(logits ? task.raw(each, labels) : task.answer(each, labels)) }
      })
    },
    async evaluate(rows) {
      const { examples, voices, answered } = await ask(asked(task, read(rows, true)))
      const metrics = task.metrics(answered, labels)
      if (!distributions) return metrics
      const beliefs = examples.flatMap(({ label }, i) => beliefsOf(voices[i]!, label!, distributions, labels.length))
      return { ...metrics, ...calibration(beliefs), ...(draws && disagreement(beliefs)) }
    },
  }
}
