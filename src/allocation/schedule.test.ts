import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type BudgetSettings, cubic } from './schedule.ts'

const over = (settings: BudgetSettings) => Array.from({ length: settings.totalSteps + 1 }, (_, step) => cubic(step, settings))

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

test('the budget never rises and stays between target and initial', () => {
  const settings = fc
    .tuple(
      fc.integer({ min: 1, max: 50 }),
      fc.nat(100),
      fc.nat(20),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(20),
      fc.integer({ min: 1, max: 9 }),
    )
    .map(([target, more, tInit, decay, tFinal, deltaT]) => ({
      target,
      initial: target + more,
      tInit,
      tFinal,
      deltaT,
      totalSteps: tInit + decay + tFinal,
    }))
  fc.assert(
    fc.property(settings, (given) => {
      const budgets = over(given).map(({ budget }) => budget)
      assert.equal(budgets[0], given.initial)
      assert.equal(budgets[given.totalSteps - given.tFinal], given.target)
      budgets.forEach((budget, step) => {
        assert.ok(Number.isInteger(budget) && budget >= given.target && budget <= (budgets[step - 1] ?? given.initial))
      })
    }),
  )
})
