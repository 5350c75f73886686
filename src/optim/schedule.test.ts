import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { learningRateAt, type Schedule } from './schedule.ts'

const rates = (schedule: Schedule, warmupSteps: number, totalSteps: number): number[] =>
  Array.from({ length: totalSteps + 1 }, (_, step) => learningRateAt(step, { schedule, learningRate: 8, warmupSteps, totalSteps }))

test('the first update of a warm-up has rate 0, the one after it the full rate', () => {
  assert.deepEqual(rates('constant', 4, 6), [0, 2, 4, 6, 8, 8, 8])
})

test('without warm-up the first update has the full rate', () => {
  assert.deepEqual(rates('linear', 0, 4), [8, 6, 4, 2, 0])
})

test('linear falls to 0 after the last update', () => {
  assert.deepEqual(rates('linear', 2, 6), [0, 4, 8, 6, 4, 2, 0])
})

test('cosine is half way down in the middle and 0 after the last update', () => {
  const [first, quarter, half, third, last] = rates('cosine', 0, 4)
  assert.equal(first, 8)
  assert.ok(Math.abs(quarter! - 6.82842712474619) < 1e-12)
  assert.ok(Math.abs(half! - 4) < 1e-12)
  assert.ok(Math.abs(third! - 1.17157287525381) < 1e-12)
  assert.ok(Math.abs(last!) < 1e-12)
})

test('rates lie between 0 and the highest, rise in the warm-up and never after it', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Schedule>('constant', 'linear', 'cosine'),
      fc.nat(30),
      fc.integer({ min: 1, max: 60 }),
      (schedule, warmup, total) => {
        const all = rates(schedule, warmup, total + 5)
        all.forEach((rate, step) => {
          assert.ok(rate >= 0 && rate <= 8)
          const before = all[step - 1]
          if (before !== undefined) assert.ok(step <= warmup ? rate > before || before === 8 : rate <= before)
        })
      },
    ),
  )
})
