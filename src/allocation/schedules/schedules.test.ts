import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cubic } from './cubic.ts'
import { schedules } from './index.ts'
import { linear } from './linear.ts'
import { oneShot } from './one-shot.ts'
import type { BudgetSchedule, BudgetSettings } from './schedule.ts'

const over = (settings: BudgetSettings, schedule: BudgetSchedule = cubic) =>
  Array.from({ length: settings.totalSteps + 1 }, (_, step) => schedule(step, settings))

test('the budget stays full until tInit, falls as a cubic and stays at the target', () => {
  const all = over({ initial: 24, target: 12, tInit: 2, tFinal: 3, totalSteps: 12, deltaT: 1 })
  assert.deepEqual(
    all.map(({ budget }) => budget),
    [24, 24, 24, 19, 16, 14, 12, 12, 12, 12, 12, 12, 12],
  )
  assert.deepEqual(
    all.map(({ mask }) => mask),
    [false, false, false, ...Array.from({ length: 10 }, () => true)],
  )
})

test('masks fall where deltaT divides the step counted from the very first one, and at every step of the final phase', () => {
  const all = over({ initial: 24, target: 12, tInit: 2, tFinal: 3, totalSteps: 13, deltaT: 4 })
  assert.deepEqual(
    all.slice(3, 9).map(({ budget }) => budget),
    [20, 17, 14, 13, 12, 12],
  )
  assert.deepEqual(
    all.flatMap(({ mask }, step) => (mask ? [step] : [])),
    [4, 8, 11, 12, 13],
  )
})

test('without phases before and after it the decay spans all steps, and step 0 is never masked', () => {
  const all = over({ initial: 24, target: 12, tInit: 0, tFinal: 0, totalSteps: 10, deltaT: 1 })
  assert.deepEqual(
    all.map(({ budget }) => budget),
    [24, 20, 18, 16, 14, 13, 12, 12, 12, 12, 12],
  )
  assert.equal(all[0]!.mask, false)
})

test('the linear budget falls evenly from tInit to the final phase, masking as the cubic does', () => {
  const settings = { initial: 24, target: 12, tInit: 2, tFinal: 4, totalSteps: 12, deltaT: 2 }
  const all = over(settings, linear)
  assert.deepEqual(
    all.map(({ budget }) => budget),
    [24, 24, 24, 22, 20, 18, 16, 14, 12, 12, 12, 12, 12],
  )
  assert.deepEqual(
    all.map(({ mask }) => mask),
    over(settings).map(({ mask }) => mask),
  )
})

test('in one shot everything stays until the final phase, where the target holds at once', () => {
  const all = over({ initial: 24, target: 12, tInit: 2, tFinal: 4, totalSteps: 10, deltaT: 1 }, oneShot)
  assert.deepEqual(
    all.map(({ budget, mask }) => (mask ? budget : null)),
    [null, null, null, null, null, null, 12, 12, 12, 12, 12],
  )
  assert.ok(all.every(({ budget, mask }) => mask || budget === 24))
})

for (const [name, schedule] of Object.entries(schedules)) {
  if (!schedule) continue
  test(`${name}: the budget never rises, stays between target and initial, and while it is full nothing has to fall`, () => {
    const settings = fc
      .tuple(
        fc.integer({ min: 1, max: 50 }),
        fc.nat(100),
        fc.nat(20),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(20),
        fc.integer({ min: 1, max: 9 }),
      )
      .map(([target, more, tInit, falling, tFinal, deltaT]) => ({
        target,
        initial: target + more,
        tInit,
        tFinal,
        deltaT,
        totalSteps: tInit + falling + tFinal,
      }))
    fc.assert(
      fc.property(settings, (given) => {
        const budgets = over(given, schedule).map(({ budget }) => budget)
        assert.equal(budgets[0], given.initial)
        assert.equal(budgets[given.totalSteps - given.tFinal], given.target)
        budgets.forEach((budget, step) => {
          assert.ok(Number.isInteger(budget) && budget >= given.target && budget <= (budgets[step - 1] ?? given.initial))
          if (step <= given.tInit) assert.equal(schedule(step, given).mask, false)
        })
      }),
    )
  })
}
