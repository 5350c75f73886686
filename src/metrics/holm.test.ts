import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { holm } from './holm.ts'

const values = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 })

test('p-values of the literature are corrected as in R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")', () => {
  const adjusted = holm([0.01, 0.04, 0.03, 0.005])
  for (const [i, expected] of [0.03, 0.06, 0.06, 0.02].entries()) assert.ok(Math.abs(adjusted[i]! - expected) < 1e-12)
})

test('corrections keep the order, never lower a value, and stay below those of Bonferroni', () => {
  fc.assert(
    fc.property(values, (given) => {
      const adjusted = holm(given)
      for (const [i, p] of given.entries()) {
        assert.ok(adjusted[i]! >= p && adjusted[i]! <= Math.min(1, given.length * p))
        for (const [k, other] of given.entries()) if (p <= other) assert.ok(adjusted[i]! <= adjusted[k]!)
      }
    }),
  )
})

test('one comparison stays as it is, and the order given is kept', () => {
  assert.deepEqual(holm([0.2]), [0.2])
  assert.deepEqual(holm([]), [])
  fc.assert(
    fc.property(values, (given) => {
      assert.deepEqual(holm(given.toReversed()), holm(given).toReversed())
    }),
  )
})

test('the share of false findings among true null hypotheses stays below the level', () => {
  // Uniform p-values: the chance that any of five is found must be about 5 %, not 23 %.
  let found = 0
  const draws = 4000
  let state = 12345
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  for (let i = 0; i < draws; i++) if (holm(Array.from({ length: 5 }, uniform)).some((p) => p < 0.05)) found++
  assert.ok(found / draws < 0.065 && found / draws > 0.035, `${found} of ${draws}`)
})
