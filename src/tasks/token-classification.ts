import type { OwnRow } from '../data/examples.ts'
import { tokenLabels, wordLabels } from '../data/labels.ts'
import { cellOf, type Row } from '../data/row.ts'
import { bringsTokens } from '../data/token-row.ts'
import { encodeWords, wordsOf } from '../data/words.ts'
import { UserError } from '../errors.ts'
import { token } from '../heads/token.ts'
import { accuracy } from '../metrics/accuracy.ts'
import { mean } from '../metrics/moments.ts'
import { spanScores } from '../metrics/span-f1.ts'
import { only } from './answered.ts'
import { consecutive } from './distributions.ts'
import { type OwnReading, oneExample } from './one-example.ts'
import { argmax, drawClass, negativeLogLikelihood, probabilities } from './softmax.ts'
import type { LabelNames, Source, Task } from './task.ts'

const byToken = (logits: Float32Array, classes: number): Float32Array[] =>
  Array.from({ length: logits.length / classes }, (_, i) => logits.subarray(i * classes, (i + 1) * classes))

/** Whether the names are tags of spans: `O`, and `B-` or `I-` before a type. */
const areSpans = (names: LabelNames): boolean => names.length > 1 && names.every((name) => name === 'O' || /^[BI]-./.test(name))

/** The labels as they occur: names, or numbers up to the largest. */
function discover(labels: readonly unknown[]): string[] {
  if (labels.some((label) => typeof label === 'string')) return [...new Set(labels.filter((label) => label !== -100).map(String))].sort()
  return Array.from({ length: (labels as number[]).reduce((most, label) => Math.max(most, label), 0) + 1 }, (_, i) => String(i))
}

const plain = ['accuracy', 'loss']
const labelColumns: readonly string[] = ['label', 'labels', 'ner_tags', 'tags']

/** A row of words, whose labels stand at their first tokens; null for others. */
function wordRow(row: Row, { text, label, names, maxLength }: OwnReading, { tokenizer }: Source): OwnRow | null {
  const words = bringsTokens(row) ? null : wordsOf(row, text)
  if (words === null) return null
  const given = names && wordLabels(cellOf(row, label), names, words.length, row, label)
  const { word, ...encoded } = encodeWords(tokenizer(), words, maxLength)
  return { ...encoded, label: word.map((i) => (i < 0 ? -100 : (given?.[i] ?? 0))) }
}

/**
 * One class for each token: rows carry `input_ids` and one label a token, -100 where none counts; or words, as `tokens` or `words`, each
 * with a label, which its first token takes. Tags of spans (IOB2) are judged by whole spans, too.
 */
export const tokenClassification: Task = {
  head: token,
  classes: true,
  primary: 'accuracy',
  metricNames: ['f1', 'precision', 'recall', ...plain],
  discover(rows, column) {
    const cells = rows.map((row) => {
      const cell = cellOf(row, column)
      return Array.isArray(cell) && !bringsTokens(row) ? cell : tokenLabels(cell, Infinity, row, column)
    })
    return discover(cells.flat())
  },
  labelColumns,
  maxLength: 128,
  read: oneExample((row, column, names) => tokenLabels(cellOf(row, column), names.length, row, column), { labelColumns, own: wordRow }),
  opened: ({ labels }) => ({ ...tokenClassification, ...(areSpans(labels) ? { primary: 'f1' } : { metricNames: plain }) }),
  distributions: { places: consecutive, targets: (label) => label as readonly number[] },
  metrics(answered, names) {
    const rows = answered.map(only).map(({ logits, label }) => {
      const labels = label as readonly number[]
      return byToken(logits, names.length).flatMap((values, k) =>
        labels[k]! < 0 ? [] : [{ values, best: argmax(values), label: labels[k]! }],
      )
    })
    const counted = rows.flat()
    if (counted.length === 0) throw new UserError('No token of these rows counts: all labels are -100.')
    const tags = (of: 'best' | 'label'): string[][] => rows.map((row) => row.map((token) => names[token[of]]!))
    return {
      ...(areSpans(names) && spanScores(tags('best'), tags('label'))),
      accuracy: accuracy(
        counted.map(({ best }) => best),
        counted.map(({ label }) => label),
      ),
      loss: mean(counted.map(({ values, label }) => negativeLogLikelihood(values, label))),
    }
  },
  answer(answered, names) {
    const { logits, label } = only(answered)
    const asked = label as readonly number[] | null
    const tokens = byToken(logits, names.length).filter((_, i) => !asked || asked[i]! >= 0)
    return { labels: tokens.map((values) => names[argmax(values)]!), scores: tokens.map((values) => Math.max(...probabilities(values))) }
  },
  draw: (logits, names, draws) => byToken(logits, names.length).map((values) => drawClass(values, draws)),
  raw: (answered, names) => ({ logits: byToken(only(answered).logits, names.length).map((values) => [...values]) }),
}
