import { tokenLabels } from '../data/labels.ts'
import { cellOf } from '../data/row.ts'
import { UserError } from '../errors.ts'
import { token } from '../heads/token.ts'
import { accuracy } from '../metrics/accuracy.ts'
import { only } from './answered.ts'
import { consecutive } from './distributions.ts'
import { labelColumns, oneExample } from './one-example.ts'
import { argmax, drawClass, mean, negativeLogLikelihood, probabilities } from './softmax.ts'
import type { Task } from './task.ts'

const byToken = (logits: Float32Array, classes: number): Float32Array[] =>
  Array.from({ length: logits.length / classes }, (_, i) => logits.subarray(i * classes, (i + 1) * classes))

/** One class for each token; rows carry `input_ids` and one label a token, -100 where none counts. */
export const tokenClassification: Task = {
  head: token,
  classes: true,
  primary: 'accuracy',
  metricNames: ['accuracy', 'loss'],
  discover(rows, column) {
    const labels = rows.flatMap((row) => tokenLabels(cellOf(row, column), Infinity, row, column))
    return Array.from({ length: labels.reduce((most, label) => Math.max(most, label), 0) + 1 }, (_, i) => String(i))
  },
  labelColumns,
  maxLength: 128,
  read: oneExample((row, column, names) => tokenLabels(cellOf(row, column), names.length, row, column)),
  distributions: { places: consecutive, targets: (label) => label as readonly number[] },
  metrics(answered, names) {
    const counted = answered.map(only).flatMap(({ logits, label }) => {
      const labels = label as readonly number[]
      return byToken(logits, names.length).flatMap((values, k) => (labels[k]! < 0 ? [] : [{ values, label: labels[k]! }]))
    })
    if (counted.length === 0) throw new UserError('No token of these rows counts: all labels are -100.')
    return {
      accuracy: accuracy(
        counted.map(({ values }) => argmax(values)),
        counted.map(({ label }) => label),
      ),
      loss: mean(counted.map(({ values, label }) => negativeLogLikelihood(values, label))),
    }
  },
  answer(answered, names) {
    const tokens = byToken(only(answered).logits, names.length)
    return { labels: tokens.map((values) => names[argmax(values)]!), scores: tokens.map((values) => Math.max(...probabilities(values))) }
  },
  draw: (logits, names, draws) => byToken(logits, names.length).map((values) => drawClass(values, draws)),
  raw: (answered, names) => ({ logits: byToken(only(answered).logits, names.length).map((values) => [...values]) }),
}
