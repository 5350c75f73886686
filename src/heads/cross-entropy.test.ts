import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compute, operand } from '../../test/behaviour/small-graph.ts'
import { cast } from '../graph/ops/elementwise.ts'
import { labelTargets } from './classification.ts'
import { crossEntropy, targetDistribution } from './cross-entropy.ts'
import type { Objective } from './head.ts'

const logits = [
  [2, 0, -1],
  [0.5, 1, 0],
  [-1, 3, 3],
]
const plain: Objective = { passes: 1, consistency: null, labelSmoothing: 0, classWeights: null }

/** The mean loss as torch's CrossEntropyLoss defines it. */
function expected(labels: readonly number[], smoothing: number, weights: readonly number[]): number {
  let [sum, divisor] = [0, 0]
  labels.forEach((label, row) => {
    if (label < 0) return
    const log = logits[row]!.map((z) => z - Math.log(logits[row]!.reduce((total, other) => total + Math.exp(other), 0)))
    sum -= (1 - smoothing) * weights[label]! * log[label]!
    for (const [k, value] of log.entries()) sum -= (smoothing / log.length) * weights[k]! * value
    divisor += weights[label]!
  })
  return sum / divisor
}

const cases: [string, number[], Partial<Objective>][] = [
  ['plain', [0, 2, 1], {}],
  ['an ignored label', [0, -100, 1], {}],
  ['label smoothing', [0, 2, 1], { labelSmoothing: 0.1 }],
  ['class weights', [0, 2, 1], { classWeights: [0.2, 3, 1] }],
  ['class weights, smoothing and an ignored label', [-100, 2, 1], { labelSmoothing: 0.3, classWeights: [0.2, 3, 1] }],
]
for (const [name, labels, changes] of cases) {
  test(`the loss is torch's: ${name}`, async () => {
    const objective = { ...plain, ...changes }
    const { feeds, weight } = labelTargets(labels, objective)
    const given = {
      logits: operand(logits),
      labels: operand(Array.from(feeds.labels!.data)),
      counts: operand(Array.from(feeds.counts!.data)),
      lossDivisor: operand(weight),
    }
    const { loss } = await compute(given, ({ logits: z, labels: indices, counts }) => ({
      loss: crossEntropy(z!, targetDistribution(cast(indices!, 'int32'), 3, objective), counts!),
    }))
    const wanted = expected(labels, objective.labelSmoothing, objective.classWeights ?? [1, 1, 1])
    assert.ok(Math.abs(loss![0]! - wanted) < 1e-7, `${loss![0]}, expected ${wanted}`)
  })
}
