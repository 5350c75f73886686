import { discoverLabels, labelIndex } from '../data/labels.ts'
import { cellOf } from '../data/row.ts'
import { classification } from '../heads/classification.ts'
import { classificationMetrics } from '../metrics/index.ts'
import { mean } from '../metrics/moments.ts'
import { only } from './answered.ts'
import { consecutive } from './distributions.ts'
import { labelColumns, oneExample } from './one-example.ts'
import { argmax, drawClass, negativeLogLikelihood, probabilities } from './softmax.ts'
import type { Task } from './task.ts'

/** The class of a row by its label. */
export const classOf: NonNullable<Task['classOf']> = (row, column, names) => labelIndex({ names }, cellOf(row, column), row, column)

/** One class for each row. */
export const sequenceClassification: Task = {
  head: classification,
  classes: true,
  primary: 'accuracy',
  metricNames: ['accuracy', 'f1', 'matthews', 'loss'],
  discover: (rows, column) => discoverLabels(rows, column).names,
  labelColumns,
  maxLength: 128,
  classOf,
  read: oneExample(classOf),
  distributions: { places: consecutive, targets: (label) => [label as number] },
  metrics(answered, names) {
    const rows = answered.map(only)
    const labels = rows.map(({ label }) => label as number)
    const flat = Float32Array.from(rows.flatMap(({ logits }) => [...logits]))
    return {
      ...classificationMetrics(flat, names.length, labels),
      loss: mean(rows.map(({ logits }, i) => negativeLogLikelihood(logits, labels[i]!))),
    }
  },
  answer(answered, names) {
    const { logits } = only(answered)
    const scores = probabilities(logits)
    return { label: names[argmax(logits)]!, scores: Object.fromEntries(names.map((name, i) => [name, scores[i]!])) }
  },
  draw: (logits, _names, draws) => drawClass(logits, draws),
  raw: (answered) => ({ logits: [...only(answered).logits] }),
}
