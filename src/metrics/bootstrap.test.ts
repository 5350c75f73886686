import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { bootstrap, interval, twoSided } from './bootstrap.ts'

const near = (actual: number, wanted: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - wanted) <= tolerance, `${actual}, expected ${wanted}`)

const mean = ([examples, sum]: readonly number[]) => ({ mean: sum! / examples! })

/** Draws that go through all n^n resamples of n examples. */
function everyResample(n: number): () => number {
  let draws = 0
  return () => Math.floor(Math.floor(draws / n) / n ** (draws++ % n)) % n
}

test('over all resamples of three numbers the percentiles are those of the exact distribution', () => {
  const terms = [0, 3, 9].map((value) => [1, value])
  const all = [0, 3, 9].flatMap((a) => [0, 3, 9].flatMap((b) => [0, 3, 9].map((c) => (a + b + c) / 3))).sort((a, b) => a - b)
  // Half of 27 - 1 places, from a quarter to three quarters: places 6.5 and 19.5.
  const { low, high } = bootstrap(terms, mean, { below: everyResample(3), resamples: 27, level: 0.5 }).mean!
  near(low, (all[6]! + all[7]!) / 2)
  near(high, (all[19]! + all[20]!) / 2)
})

test('for a mean of many numbers the interval is that of the normal distribution', () => {
  const { normal, below } = stream(keyOf('bootstrap', 3))
  const values = Array.from({ length: 400 }, () => 5 + 2 * normal())
  const average = values.reduce((sum, value) => sum + value, 0) / values.length
  const error = Math.sqrt(values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length / values.length)
  const { low, high } = bootstrap(
    values.map((value) => [1, value]),
    mean,
    { below, resamples: 4000 },
  ).mean!
  near(low, average - 1.96 * error, 0.1 * error)
  near(high, average + 1.96 * error, 0.1 * error)
})

test('a score of sums is resampled by its sums: the perplexity of rows of unequal length', () => {
  const rows = [
    [2, 1],
    [30, 20],
    [9, 5],
  ]
  const score = ([nll, tokens]: readonly number[]) => ({ perplexity: Math.exp(nll! / tokens!) })
  const { low, high } = bootstrap(rows, score, { below: everyResample(3), resamples: 27, level: 0.9999999 }).perplexity!
  near(low, Math.exp(30 / 20), 1e-5)
  near(high, Math.exp(2), 1e-5)
})

test('same draws, same interval', () => {
  const terms = Array.from({ length: 20 }, (_, i) => [1, i])
  const run = (seed: number) => bootstrap(terms, mean, { below: stream(keyOf('again', seed)).below, resamples: 100 })
  assert.deepEqual(run(1), run(1))
  assert.notDeepEqual(run(1), run(2))
})

test('wrong options are refused', () => {
  const below = () => 0
  assert.throws(() => bootstrap([], mean, { below }), /no examples/)
  assert.throws(() => bootstrap([[1, 1]], mean, { below, resamples: 0 }), /0 resamples/)
  for (const level of [0, 1, 95, NaN]) assert.throws(() => bootstrap([[1, 1]], mean, { below, level }), /between 0 and 1/)
})

test('a p-value is small where the interval leaves 0 out, has no side, and is never 0', () => {
  const differences = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 100, maxLength: 200 })
  fc.assert(
    fc.property(differences, fc.double({ min: -1, max: 1, noNaN: true }), (given, shift) => {
      const moved = given.map((value) => value + shift)
      const p = twoSided(moved)
      assert.ok(p > 0 && p <= 1)
      assert.equal(twoSided(moved.map((value) => -value)), p)
      const { low, high } = interval(moved, 0.9)
      // One of n + 1 draws is the observed one, so the two may differ by as much.
      if (low > 0 || high < 0) assert.ok(p <= 0.1 + 4 / (given.length + 1))
      else assert.ok(p >= 0.1 - 4 / (given.length + 1))
    }),
  )
  assert.equal(twoSided(Array(999).fill(1)), 2 / 1000)
  assert.equal(twoSided(Array(999).fill(0)), 1)
})
