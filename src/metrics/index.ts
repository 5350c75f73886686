import { accuracy } from './accuracy.ts'
import { f1 } from './f1.ts'
import { matthews } from './matthews.ts'
import { pearson } from './pearson.ts'
import { spearman } from './spearman.ts'

export { accuracy, f1, matthews, pearson, spearman }

/** The class of the largest logit of each row of [rows, classes]; the first of equals. */
function predictedClasses(logits: Float32Array, classes: number): Int32Array {
  return Int32Array.from({ length: logits.length / classes }, (_, row) => {
    let best = 0
    for (let c = 1; c < classes; c++) if (logits[row * classes + c]! > logits[row * classes + best]!) best = c
    return best
  })
}

/** Metrics of logits [rows, classes] against labels [rows]; RangeError where the sizes differ. */
export function classificationMetrics(
  logits: Float32Array,
  classes: number,
  labels: ArrayLike<number>,
): { accuracy: number; f1: number; matthews: number } {
  if (logits.length !== labels.length * classes) {
    throw new RangeError(`metrics: ${logits.length} logits for ${labels.length} labels of ${classes} classes`)
  }
  const predictions = predictedClasses(logits, classes)
  return {
    accuracy: accuracy(predictions, labels),
    f1: f1(predictions, labels, classes),
    matthews: matthews(predictions, labels, classes),
  }
}

/** Correlations of predictions [rows] with labels [rows], and their mean, which papers give for STS-B; RangeError where the sizes differ. */
export function regressionMetrics(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
): { pearson: number; spearman: number; correlation: number } {
  const [linear, ranked] = [pearson(predictions, labels), spearman(predictions, labels)]
  return { pearson: linear, spearman: ranked, correlation: (linear + ranked) / 2 }
}
