import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mutualInformation, predictiveEntropy } from './disagreement.ts'

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, expected ${expected}`)

test('members that are sure of different classes know all of the uncertainty apart, and nothing of it alone', () => {
  const rows = [
    [
      [1, 0],
      [0, 1],
    ],
  ]
  near(predictiveEntropy(rows), Math.LN2)
  near(mutualInformation(rows), Math.LN2)
})

test('members that agree add no information', () => {
  const rows = [Array.from({ length: 3 }, () => [0.5, 0.5])]
  near(predictiveEntropy(rows), Math.LN2)
  near(mutualInformation(rows), 0)
})

test('entropies of three classes, computed by hand', () => {
  // The mean is [.65, .25, .1]; entropies .8018185525 and .8979457249, of the mean .856840995.
  const row = [
    [0.7, 0.2, 0.1],
    [0.6, 0.3, 0.1],
  ]
  near(predictiveEntropy([row]), 0.856840995)
  near(mutualInformation([row]), 0.856840995 - (0.8018185525 + 0.8979457249) / 2)
  near(predictiveEntropy([row, [[1, 0, 0]]]), 0.856840995 / 2)
  near(mutualInformation([[[0.7, 0.2, 0.1]]]), 0)
})

test('the information is not negative, and no more than the entropy', () => {
  const member = fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 3, maxLength: 3 }).map((parts) => {
    const sum = parts.reduce((a, b) => a + b, 0)
    return parts.map((part) => part / sum)
  })
  fc.assert(
    fc.property(fc.array(member, { minLength: 1, maxLength: 6 }), (members) => {
      const information = mutualInformation([members])
      assert.ok(information >= 0 && information <= predictiveEntropy([members]) + 1e-12)
    }),
  )
})
