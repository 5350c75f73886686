import type { Item } from '../data/examples.ts'
import { spanLabel } from '../data/labels.ts'
import type { Row } from '../data/row.ts'
import { bringsTokens } from '../data/token-row.ts'
import { span } from '../heads/span.ts'
import { mean } from '../metrics/moments.ts'
import { onceEach } from '../metrics/once-each.ts'
import type { Answered } from './answered.ts'
import { labelColumn, oneExample } from './one-example.ts'
import { answerColumns, type Passage, passageAnswer, passageMetrics, passageScores, readPassages } from './passages.ts'
import { drawClass, negativeLogLikelihood } from './softmax.ts'
import { spanScores } from './span-scores.ts'
import type { Task } from './task.ts'
import { tokenSpanAnswer, tokenSpanMetrics, tokenSpanScores } from './token-spans.ts'

const readTokens = oneExample((row) => spanLabel(row))

const isPassage = (answered: Answered): answered is Answered<Passage> => 'windows' in answered.item

/** Of the first answer in each window: the mean of the start's and the end's cross-entropy. */
const lossOf = onceEach(({ item, logits }: Answered): number[] =>
  item.examples.map(({ label }, i) => {
    const right = label as { start: number; end: number }
    const { start, end } = spanScores(logits[i]!)
    return (negativeLogLikelihood(start, right.start) + negativeLogLikelihood(end, right.end)) / 2
  }),
)

/** Whether a row says that its question has no answer. */
function lacksAnswer({ values }: Row, column: string): boolean {
  const answers = values.get(column)
  const texts = Array.isArray(answers) ? answers : (answers as { text?: unknown } | null | undefined)?.text
  return Array.isArray(texts) && texts.length === 0
}

/**
 * The answer to a question as a stretch of a context: rows carry both as text with `answers`, or `input_ids` with `start_positions` and
 * `end_positions`; all rows of a file in the one way or the other.
 */
export const questionAnswering: Task = {
  head: span,
  classes: false,
  primary: 'f1',
  percent: true,
  metricNames: ['exact', 'f1', 'loss', 'HasAns_exact', 'HasAns_f1', 'NoAns_exact', 'NoAns_f1', 'best_exact', 'best_f1'],
  labelColumns: answerColumns,
  maxLength: 384,
  discover: () => [],
  settle(rows, reading) {
    const { columns, spans } = reading
    const column = labelColumn(answerColumns, columns, rows)
    return { ...reading, spans: { ...spans, unanswerable: spans.unanswerable ?? rows.some((row) => lacksAnswer(row, column)) } }
  },
  learn({ best_f1_thresh: found }, reading) {
    const { spans } = reading
    return { ...reading, spans: { ...spans, nullThreshold: spans.nullThreshold ?? found ?? null } }
  },
  read: (rows, source, names): Item[] => (rows[0] && !bringsTokens(rows[0]) ? readPassages(rows, source) : readTokens(rows, source, names)),
  distributions: {
    places: (size) => [0, 1].map((end) => Array.from({ length: size / 2 }, (_, i) => 2 * i + end)),
    targets(label) {
      const { start, end } = label as { start: number; end: number }
      return [start, end]
    },
  },
  metrics: (answered) => ({
    ...(answered.every(isPassage) ? passageMetrics(answered) : tokenSpanMetrics(answered)),
    loss: mean(answered.flatMap(lossOf)),
  }),
  answer: (answered) => (isPassage(answered) ? passageAnswer(answered) : tokenSpanAnswer(answered)),
  draw(logits, _names, draws) {
    const { start, end } = spanScores(logits)
    return { start: drawClass(start, draws), end: drawClass(end, draws) }
  },
  raw: (answered) => (isPassage(answered) ? passageScores(answered) : tokenSpanScores(answered)),
}
