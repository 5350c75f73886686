import { numberLabel } from '../data/labels.ts'
import { cellOf } from '../data/row.ts'
import { regression as head } from '../heads/regression.ts'
import { regressionMetrics } from '../metrics/index.ts'
import { mean } from './softmax.ts'
import type { Task } from './task.ts'

/** One number for each row. */
export const regression: Task = {
  head,
  classes: false,
  primary: 'pearson',
  metricNames: ['pearson', 'spearman', 'loss'],
  discover: () => [],
  label: (row, column) => numberLabel(cellOf(row, column), row, column),
  distributions: null,
  metrics(logits, examples) {
    const [predictions, labels] = [logits.map((row) => row[0]!), examples.map(({ label }) => label as number)]
    return { ...regressionMetrics(predictions, labels), loss: mean(predictions.map((value, i) => (value - labels[i]!) ** 2)) }
  },
  answer: (logits) => ({ score: logits[0]! }),
  /** A normal draw of deviation 1 around the score, as squared error supposes. */
  draw: (logits, _names, { normal }) => logits[0]! + normal(),
  raw: (logits) => ({ logits: [...logits] }),
}
