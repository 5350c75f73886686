import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { global } from './global.ts'
import { perLayer } from './per-layer.ts'
import { perModule } from './per-module.ts'

const modulesOf = (scores: readonly (readonly number[])[], layers: readonly (number | null)[] = []) =>
  scores.map((each, i) => ({ name: `module ${i}`, layer: layers[i] ?? null, scores: Float32Array.from(each) }))
const keep = (scores: number[][], budget: number): boolean[][] => global(modulesOf(scores), budget)

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

test('a score that is no number falls', () => {
  assert.deepEqual(keep([[3, Number.NaN, 4, 2]], 2), [[false, false, true, false]])
  assert.deepEqual(keep([[Number.NaN, Number.NaN]], 1), [[false, false]])
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

const counts = (kept: readonly (readonly boolean[])[]): number[] => kept.map((stays) => stays.filter(Boolean).length)

test('per module all keep their share, whatever the others score', () => {
  const scores = [
    [100, 200, 300, 400],
    [1, 2, 3, 4],
  ]
  assert.deepEqual(perModule(modulesOf(scores), 4), [
    [false, false, true, true],
    [false, false, true, true],
  ])
})

test('per layer one threshold holds within each, and modules outside of the layers are a group', () => {
  const scores = [
    [10, 20],
    [1, 2],
    [30, 40],
    [5, 6],
  ]
  assert.deepEqual(counts(perLayer(modulesOf(scores, [0, 1, 0, null]), 4)), [0, 1, 2, 1])
})

test('shares are those of the components, rounded so that they add up', () => {
  const distinct = fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(distinct, fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }), fc.nat(40), (scores, layers, size) => {
      const modules = modulesOf(
        [0, 1, 2, 3].map((k) => scores.filter((_, i) => i % 4 === k)),
        layers,
      )
      const budget = size % (scores.length + 1)
      for (const [selection, groupOf] of [
        [perLayer, (i: number) => layers[i]!],
        [perModule, (i: number) => i],
      ] as const) {
        const kept = counts(selection(modules, budget))
        assert.equal(
          kept.reduce((a, b) => a + b),
          budget,
        )
        for (const group of new Set(modules.map((_, i) => groupOf(i)))) {
          const inside = modules.flatMap((module, i) => (groupOf(i) === group ? [{ module, kept: kept[i]! }] : []))
          const exact = (budget * inside.reduce((n, { module }) => n + module.scores.length, 0)) / scores.length
          const given = inside.reduce((n, each) => n + each.kept, 0)
          assert.ok(Math.abs(given - exact) < 1, `${given} of ${exact}`)
        }
      }
    }),
  )
})
