import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beliefsOf, calibration, disagreement } from './beliefs.ts'
import { together } from './distributions.ts'
import { tasks } from './index.ts'
import { probabilities } from './softmax.ts'

const near = (given: ArrayLike<number>, expected: readonly number[], tolerance = 1e-6): void => {
  assert.equal(given.length, expected.length)
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(given[i]! - value) <= tolerance, `${i}: ${given[i]}, expected ${value}`)
}
const logs = (...p: number[]): Float32Array => Float32Array.from(p, Math.log)
const of = (task: keyof typeof tasks) => tasks[task].distributions!

test('members of one class together have the mean of their probabilities, whatever constants their logits carry', () => {
  const both = together([logs(0.7, 0.2, 0.1), logs(0.6, 0.3, 0.1).map((z) => z + 5)], of('sequence-classification'), 3)
  near(probabilities(both), [0.65, 0.25, 0.1])
  near(both, [Math.log(0.65), Math.log(0.25), Math.log(0.1)])
})

test('members that are sure of different classes together are of two minds, and finite about the third', () => {
  const both = together([Float32Array.of(900, 0, -900), Float32Array.of(0, 900, -900)], of('sequence-classification'), 3)
  near(both, [-Math.LN2, -Math.LN2, -1800], 1e-3)
})

test('one member speaks for itself', () => {
  const alone = Float32Array.of(3, 1)
  assert.equal(together([alone], of('sequence-classification'), 2), alone)
})

test('tokens are apart, and so are starts and ends; numbers have their mean', () => {
  const tokens = together([logs(0.5, 0.5, 0.9, 0.1), logs(0.1, 0.9, 0.5, 0.5)], of('token-classification'), 2)
  near(tokens.map(Math.exp), [0.3, 0.7, 0.7, 0.3])
  // Three tokens: start and end scores take turns.
  const [starts, ends] = [
    [
      [0.2, 0.3, 0.5],
      [0.6, 0.3, 0.1],
    ],
    [
      [0.1, 0.1, 0.8],
      [0.3, 0.3, 0.4],
    ],
  ]
  const turns = (m: number): number[] => [0, 1, 2].flatMap((i) => [starts![m]![i]!, ends![m]![i]!])
  const span = together([logs(...turns(0)), logs(...turns(1))], of('question-answering'), 0)
  near(span.map(Math.exp), [0.4, 0.2, 0.3, 0.2, 0.3, 0.6])
  near(together([Float32Array.of(2), Float32Array.of(5)], tasks.regression.distributions, 0), [3.5])
})

test('beliefs are of what counts: ignored tokens are left out, spans have two', () => {
  const tokens = beliefsOf([logs(0.5, 0.5, 0.9, 0.1)], [-100, 0], of('token-classification'), 2)
  assert.deepEqual(
    tokens.map(({ target }) => target),
    [0],
  )
  near(tokens[0]!.members[0]!, [0.9, 0.1])
  const span = beliefsOf([logs(0.2, 0.1, 0.8, 0.9)], { start: 1, end: 0 }, of('question-answering'), 0)
  assert.deepEqual(
    span.map(({ target }) => target),
    [1, 0],
  )
  near(span[1]!.members[0]!, [0.1, 0.9])
})

test('calibration and disagreement are of the mean of the members', () => {
  const beliefs = beliefsOf([logs(0.7, 0.2, 0.1), logs(0.6, 0.3, 0.1)], 0, of('sequence-classification'), 3)
  near([calibration(beliefs).calibrationError], [0.35])
  const { predictiveEntropy, mutualInformation } = disagreement(beliefs)
  near([predictiveEntropy, mutualInformation], [0.856841, 0.856841 - (0.8018186 + 0.8979457) / 2])
})
