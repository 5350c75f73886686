import { discoverLabels, labelIndex } from '../data/labels.ts'
import { cellOf } from '../data/row.ts'
import { classification } from '../heads/classification.ts'
import { classificationMetrics } from '../metrics/index.ts'
import { consecutive } from './distributions.ts'
import { argmax, drawClass, mean, negativeLogLikelihood, probabilities } from './softmax.ts'
import type { Task } from './task.ts'

/** One class for each row. */
export const sequenceClassification: Task = {
  head: classification,
  classes: true,
  primary: 'accuracy',
  metricNames: ['accuracy', 'f1', 'matthews', 'loss'],
  discover: (rows, column) => discoverLabels(rows, column).names,
  label: (row, column, names) => labelIndex({ names }, cellOf(row, column), row, column),
  distributions: { places: consecutive, targets: (label) => [label as number] },
  metrics(logits, examples, names) {
    const labels = examples.map(({ label }) => label as number)
    const flat = Float32Array.from(logits.flatMap((row) => [...row]))
    return {
      ...classificationMetrics(flat, names.length, labels),
      loss: mean(logits.map((row, i) => negativeLogLikelihood(row, labels[i]!))),
    }
  },
  answer(logits, names) {
    const scores = probabilities(logits)
    return { label: names[argmax(logits)]!, scores: Object.fromEntries(names.map((name, i) => [name, scores[i]!])) }
  },
  draw: (logits, _names, draws) => drawClass(logits, draws),
  raw: (logits) => ({ logits: [...logits] }),
}
