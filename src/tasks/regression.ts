import { numberLabel } from '../data/labels.ts'
import { cellOf } from '../data/row.ts'
import { regression as head } from '../heads/regression.ts'
import { regressionMetrics } from '../metrics/index.ts'
import { mean } from '../metrics/moments.ts'
import { only } from './answered.ts'
import { labelColumns, oneExample } from './one-example.ts'
import type { Task } from './task.ts'

/** One number for each row. */
export const regression: Task = {
  head,
  classes: false,
  primary: 'pearson',
  metricNames: ['pearson', 'spearman', 'correlation', 'loss'],
  discover: () => [],
  labelColumns,
  maxLength: 128,
  read: oneExample((row, column) => numberLabel(cellOf(row, column), row, column)),
  distributions: null,
  metrics(answered) {
    const rows = answered.map(only)
    const [predictions, labels] = [rows.map(({ logits }) => logits[0]!), rows.map(({ label }) => label as number)]
    return { ...regressionMetrics(predictions, labels), loss: mean(predictions.map((value, i) => (value - labels[i]!) ** 2)) }
  },
  answer: (answered) => ({ score: only(answered).logits[0]! }),
  /** A normal draw of deviation 1 around the score, as squared error supposes. */
  draw: (logits, _names, { normal }) => logits[0]! + normal(),
  raw: (answered) => ({ logits: [...only(answered).logits] }),
}
