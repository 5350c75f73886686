import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { global } from './select.ts'

const keep = (scores: number[][], budget: number): boolean[][] =>
  global(
    scores.map((module) => Float32Array.from(module)),
    budget,
  )

test('the highest scores stay', () => {
  assert.deepEqual(keep([[3, 1, 4, 2]], 2), [[true, false, true, false]])
})

test('what ties with the first to fall falls as well', () => {
  assert.deepEqual(keep([[3, 1, 1, 2]], 3), [[true, false, false, true]])
  assert.deepEqual(
    keep(
      [
        [5, 5],
        [5, 5],
      ],
      3,
    ),
    [
      [false, false],
      [false, false],
    ],
  )
})

test('one threshold holds for all modules: a module may keep everything and another nothing', () => {
  assert.deepEqual(
    keep(
      [
        [100, 200, 300, 400],
        [1, 2, 3, 4],
      ],
      4,
    ),
    [
      [true, true, true, true],
      [false, false, false, false],
    ],
  )
})

test('a budget of everything keeps all, one of nothing keeps none', () => {
  assert.deepEqual(keep([[1, 2], [3]], 3), [[true, true], [true]])
  assert.deepEqual(keep([[1, 2], [3]], 0), [[false, false], [false]])
})

test('distinct scores leave exactly the budget, and none below one that falls', () => {
  const distinct = fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 40 })
  fc.assert(
    fc.property(distinct, fc.nat(40), fc.nat(40), (scores, cut, size) => {
      const [at, budget] = [cut % scores.length, size % (scores.length + 1)]
      const modules = [scores.slice(0, at), scores.slice(at)]
      const kept = keep(modules, budget).flat()
      assert.equal(kept.filter(Boolean).length, budget)
      const lowest = Math.min(...scores.filter((_, i) => kept[i]))
      assert.ok(scores.every((score, i) => kept[i] || score < lowest))
    }),
  )
})
