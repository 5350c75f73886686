import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consistencyWeight } from '../nn/consistency.ts'
import { consistencyOf, consistencyOption } from './consistency-option.ts'

const of = (given: unknown, totalSteps: number | null = 40) => consistencyOf(consistencyOption.parse(given), totalSteps)
const weights = (given: unknown, at: readonly number[]): number[] => at.map((step) => consistencyWeight(of(given)!, step))

test('a number is the weight of the reference form, and says the same as its object', () => {
  assert.deepEqual(of(3), { weight: 3, ramp: 0, form: 'reference', numbers: 'square', crossEntropy: 'first' })
  assert.deepEqual(of({ weight: 3 }), of(3))
  assert.deepEqual(of({}), of(1))
})

test('without weight and with one cross-entropy nothing asks for a second pass', () => {
  for (const given of [0, { weight: 0 }, { weight: 0, form: 'symmetric', schedule: { name: 'ramp', over: 9 } }])
    assert.equal(of(given), null)
  assert.deepEqual(of({ weight: 0, crossEntropy: 'both' })!.weight, 0)
})

test('a ramp starts at 0, rises on a line and stays; below 1 its length is a fraction of all updates', () => {
  const ramp = (over: number) => ({ weight: 2, schedule: { name: 'ramp', over } })
  assert.deepEqual(weights(ramp(4), [0, 1, 2, 3, 4, 5, 39]), [0, 0.5, 1, 1.5, 2, 2, 2])
  assert.deepEqual(weights(ramp(0.25), [0, 5, 9, 10, 11]), [0, 1, 1.8, 2, 2])
  assert.deepEqual(weights(2, [0, 1, 39]), [2, 2, 2])
})

test('weights and lengths that mean nothing are refused', () => {
  for (const given of [
    -1,
    { weight: -1 },
    { form: 'kl' },
    { schedule: { name: 'ramp' } },
    { schedule: { name: 'ramp', over: 0 } },
    { wait: 1 },
  ])
    assert.ok(!consistencyOption.safeParse(given).success, JSON.stringify(given))
})
