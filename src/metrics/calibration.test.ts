import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calibrationError } from './calibration.ts'

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, expected ${expected}`)

test('the calibration error, computed by hand', () => {
  // Bins of 1/15: .9 and .92 share (13/15, 14/15], .95 and 1 the last, .5 lies in (7/15, 8/15].
  // |1.82 - 1| + |1.95 - 2| + |.5 - 0| over five rows.
  near(calibrationError([0.9, 0.92, 0.95, 1, 0.5], [1, 0, 1, 1, 0]), (0.82 + 0.05 + 0.5) / 5)
  // Within a bin errors balance, between bins they do not.
  near(calibrationError([0.51, 0.51], [1, 0]), 0.01)
  near(calibrationError([0.51, 0.71], [1, 0]), (0.49 + 0.71) / 2)
})

test('a bin holds its upper edge; the first also 0', () => {
  // 2/15 lies with .1 in (1/15, 2/15], and .14 above.
  near(calibrationError([2 / 15, 0.1], [0, 1]), (1 - 2 / 15 - 0.1) / 2)
  near(calibrationError([0.14, 0.1], [0, 1]), (0.14 + 0.9) / 2)
  near(calibrationError([0, 1 / 15], [0, 0]), 1 / 30)
})

test('lists of different length and empty lists are refused', () => {
  assert.throws(() => calibrationError([1], [1, 0]), RangeError)
  assert.throws(() => calibrationError([], []), RangeError)
})
