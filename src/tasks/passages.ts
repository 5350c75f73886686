import { guessColumns } from '../data/columns.ts'
import { type Item, type Label, modelTokens, textOf } from '../data/examples.ts'
import { charactersBefore, type GoldAnswer, goldAnswers } from '../data/gold-answers.ts'
import type { Spans } from '../data/reading.ts'
import { at, type Row } from '../data/row.ts'
import type { Located } from '../data/token-characters.ts'
import { tokensOf, type Window, windowsOf } from '../data/windows.ts'
import { UserError } from '../errors.ts'
import { onceEach } from '../metrics/once-each.ts'
import { type SquadRow, squadMetrics } from '../metrics/squad.ts'
import type { Answer } from './answer.ts'
import type { Answered } from './answered.ts'
import { labelColumn } from './one-example.ts'
import { spanScores } from './span-scores.ts'
import { type Finding, findAnswer } from './span-search.ts'
import type { Source } from './task.ts'

/** A question about a text: an example for each window on it. */
export interface Passage extends Item {
  readonly context: string
  readonly windows: readonly Window[]
  /** Empty where there is none; null where the row was not asked for them. */
  readonly answers: readonly GoldAnswer[] | null
  readonly spans: Spans
}

export const answerColumns: readonly string[] = ['answers']

/** The first token of a row says that there is no answer. */
const noAnswer = { start: 0, end: 0 }

/** The tokens of the first answer in a window, without whitespace around it. */
function labelIn(window: Window, [answer]: readonly GoldAnswer[]): Label {
  if (!answer) return noAnswer
  const start = answer.start + answer.text.length - answer.text.trimStart().length
  return tokensOf(window, { start, end: Math.max(start, answer.start + answer.text.trimEnd().length) }) ?? noAnswer
}

/** Questions with their contexts as rows have them; see `Task.read`. */
export function readPassages(rows: readonly Row[], source: Source): Passage[] {
  const { columns, maxLength, spans } = source.reading
  const { text, pair } = columns ?? guessColumns(rows[0]!)
  if (!pair) {
    throw new UserError(`${at(rows[0]!)}: an answer needs a question and a context. Name both columns: {text: question, pair: context}.`)
  }
  const column = labelColumn(answerColumns, columns, rows)
  const tokenizer = source.tokenizer()
  const known = new Map<string, Located>()
  const locate = (row: Row, name: string): Located => {
    const given = textOf(row, name)
    if (!known.has(given)) known.set(given, tokenizer.locate(given))
    return known.get(given)!
  }
  const options = { ...spans, maxLength: Math.min(maxLength, source.maxPositions) }
  return rows.map((row): Passage => {
    const windows = windowsOf(locate(row, text), locate(row, pair), tokenizer, options, row)
    const context = textOf(row, pair)
    const answers = source.labelled ? goldAnswers(row, column, context) : null
    const place = { file: row.file, line: row.line }
    const examples = windows.map((window) => ({
      ...modelTokens(window, row, source),
      ...place,
      label: answers && labelIn(window, answers),
    }))
    return { ...place, context, windows, answers, spans, examples }
  })
}

const findingOf = ({ item, logits }: Answered<Passage>): Finding => findAnswer(item.windows, logits.map(spanScores), item.spans)

const thresholdOf = ({ unanswerable, nullThreshold }: Spans): number => (unanswerable ? (nullThreshold ?? 0) : Infinity)

/** The answer in the context's words, where it stands there, counted in characters, and its probability among the best ones. */
export function passageAnswer(answered: Answered<Passage>): Answer {
  const { context, spans } = answered.item
  const { best, probability, nullProbability, nullOdds } = findingOf(answered)
  const odds = spans.unanswerable ? { nullOdds } : {}
  if (best === null || nullOdds > thresholdOf(spans)) return { answer: '', score: nullProbability, start: null, end: null, ...odds }
  const [start, end] = [charactersBefore(context, best.start), charactersBefore(context, best.end)]
  return { answer: context.slice(best.start, best.end), score: probability, start, end, ...odds }
}

const squadRowOf = onceEach((answered: Answered<Passage>): SquadRow => {
  const { best, nullOdds } = findingOf(answered)
  const { context, answers } = answered.item
  return { answers: answers!.map(({ text }) => text), prediction: best ? context.slice(best.start, best.end) : '', nullOdds }
})

/** See `squadMetrics`. */
export function passageMetrics(answered: readonly Answered<Passage>[]): Record<string, number> {
  return squadMetrics(answered.map(squadRowOf), thresholdOf(answered[0]!.item.spans))
}

/** For each window the scores of its tokens, and the characters [start, end) of those that are the context's. */
export function passageScores({ item, logits }: Answered<Passage>): Answer {
  const { context, windows } = item
  return {
    windows: windows.map(({ first, starts, ends }, i) => {
      const { start, end } = spanScores(logits[i]!)
      const characters = starts.map((from, k) => [charactersBefore(context, from), charactersBefore(context, ends[k]!)])
      return { start_logits: start, end_logits: end, contextStart: first, characters }
    }),
  }
}
