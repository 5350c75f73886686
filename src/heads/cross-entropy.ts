import type { Value } from '../graph/graph.ts'
import { constant } from '../graph/graph.ts'
import { add, div, mul, neg } from '../graph/ops/elementwise.ts'
import { oneHot } from '../graph/ops/indexing.ts'
import { logSoftmax } from '../graph/ops/normalize.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { lossDivisor } from './divisors.ts'
import type { Objective } from './head.ts'

/** The target distribution of integer labels, with smoothing and class weights as in torch's CrossEntropyLoss: `[targets, classes]`. */
export function targetDistribution(labels: Value, classes: number, { labelSmoothing, classWeights }: Objective): Value {
  const sharp = oneHot(labels, classes)
  const smooth = labelSmoothing === 0 ? sharp : add(mul(sharp, 1 - labelSmoothing), labelSmoothing / classes)
  return classWeights ? mul(smooth, constant(labels.graph, classWeights, [classes], labels.graph.float)) : smooth
}

/** `-Σ counts · Σ target · log softmax(logits)`, over the step's divisor. `logits`, `target`: `[n, classes]`, `counts`: `[n]`, 0 for ignored targets. */
export function crossEntropy(logits: Value, target: Value, counts: Value): Value {
  const each = reduceSum(mul(logSoftmax(logits), target), { axes: [-1] })
  return div(neg(reduceSum(mul(each, counts))), lossDivisor(logits.graph))
}
