import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compute, operand } from '../../test/behaviour/small-graph.ts'
import { backward } from '../autodiff/backward.ts'
import type { Value } from '../graph/graph.ts'
import { betweenNumbers, symmetricDivergence } from './consistency.ts'

type Matrix = readonly (readonly number[])[]
type Consistency = (first: Value, second: Value, counts: Value) => Value
const reference: Consistency = (first, second, counts) => symmetricDivergence(first, second, counts, 'reference')
const agreement = { weight: 1, ramp: 0, form: 'reference', numbers: 'square', crossEntropy: 'first' } as const
const squared: Consistency = (first, second, counts) => betweenNumbers(first, second, counts, agreement)
const symmetric: Consistency = (first, second, counts) => symmetricDivergence(first, second, counts, 'symmetric')

/** The consistency of two passes and its gradients for both logits. */
async function terms(of: Consistency, first: Matrix | readonly number[], second: Matrix | readonly number[], counts: readonly number[]) {
  const targetCount = operand(counts.reduce((sum, one) => sum + one, 0))
  const results = await compute({ first: operand(first), second: operand(second), counts: operand(counts), targetCount }, (given) => {
    const value = of(given.first!, given.second!, given.counts!)
    const [one, two] = backward(value, [given.first!, given.second!])
    return { value, one: one!, two: two! }
  })
  return { value: results.value![0]!, one: results.one!, two: results.two! }
}
const near = (given: readonly number[], expected: readonly number[], tolerance = 1e-6): void =>
  expected.forEach((number, i) => {
    assert.ok(Math.abs(given[i]! - number) <= tolerance, `${i}: ${given[i]}, expected ${number}`)
  })

const z1 = [1, 0, -1]
const z2 = [0.5, 0.5, 0]

test('the divergence of two passes is half the sum of both directions', async () => {
  near([(await terms(reference, [z1], [z2], [1])).value], [0.176461])
})

test('in the reference form the gradients of both passes are opposite: targets pass none on', async () => {
  const { one, two } = await terms(reference, [z1], [z2], [1])
  near(one, [0.140795, -0.069462, -0.071333])
  near(two, [-0.140795, 0.069462, 0.071333])
})

test('the symmetric form has the same value and the gradient of that value', async () => {
  const { value, one, two } = await terms(symmetric, [z1], [z2], [1])
  near([value], [0.176461])
  near(one, [0.267115, -0.145355, -0.12176])
  near(two, [-0.281345, 0.120737, 0.160607])
  const turned = await terms(symmetric, [z2], [z1], [1])
  near([...turned.one, ...turned.two], [...two, ...one], 1e-15)
})

test('a batch of copies has the same mean', async () => {
  near([(await terms(reference, [z1, z1, z1], [z2, z2, z2], [1, 1, 1])).value], [0.176461])
})

test('ignored targets change nothing and get no gradient', async () => {
  const { value, one, two } = await terms(reference, [[9, -9, 4], z1], [[-3, 2, 0], z2], [0, 1])
  near([value], [0.176461])
  near(one, [0, 0, 0, 0.140795, -0.069462, -0.071333])
  near(two.slice(0, 3), [0, 0, 0], 0)
})

test('logits that differ by a constant agree: neither value nor gradient', async () => {
  for (const form of [reference, symmetric]) {
    const { value, one, two } = await terms(form, [z1], [z1.map((z) => z + 3)], [1])
    near([value, ...one, ...two], [0, 0, 0, 0, 0, 0, 0], 1e-12)
  }
})

test('passes that both are sure of different classes stay finite', async () => {
  const { value, one } = await terms(reference, [[1000, 0]], [[0, 1000]], [1])
  near([value, ...one], [1000, 0.5, -0.5], 1e-9)
})

test('for numbers it is half the mean squared difference', async () => {
  const one = await terms(squared, [[2]], [[1]], [1])
  near([one.value, one.one[0]!, one.two[0]!], [0.5, 1, -1], 1e-12)
  const four = await terms(squared, [[2], [0], [7], [1]], [[1], [3], [0], [1]], [1, 1, 0, 1])
  near([four.value], [(0.5 * (1 + 9)) / 3], 1e-12)
  near(four.one, [1 / 3, -1, 0, 0], 1e-12)
})

test('as a divergence numbers agree always, as in the code of the authors', async () => {
  for (const form of ['reference', 'symmetric'] as const) {
    const divergence: Consistency = (first, second, counts) =>
      betweenNumbers(first, second, counts, { ...agreement, form, numbers: 'divergence' })
    const { value, one, two } = await terms(divergence, [[2], [-1e4]], [[1], [1e4]], [1, 1])
    assert.deepEqual([value, ...one, ...two].map(Math.abs), [0, 0, 0, 0, 0])
  }
})
