import { classCounts } from './class-counts.ts'

/**
 * F1, the harmonic mean of precision and recall: of class 1 where there are two classes (as in GLUE), else the unweighted mean over the
 * classes that occur in predictions or labels (scikit-learn's `macro`). 0 where undefined.
 */
export function f1(predictions: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number {
  const { predicted, labelled, both } = classCounts(predictions, labels, classes)
  const score = (c: number) => (predicted[c]! + labelled[c]! === 0 ? 0 : (2 * both[c]!) / (predicted[c]! + labelled[c]!))
  if (classes === 2) return score(1)
  const present = [...predicted.keys()].filter((c) => predicted[c]! + labelled[c]! > 0)
  return present.reduce((sum, c) => sum + score(c), 0) / present.length
}
