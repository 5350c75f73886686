import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assertNear } from '../../test/behaviour/tiny-model.ts'
import { lowRankIncrement } from '../methods/low-rank.ts'
import type { Tensor } from '../nn/method.ts'
import { squaredNorm } from '../nn/tensor.ts'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { factorise, principal } from './svd.ts'

const random = (seed: number, name: string, ...shape: number[]): Tensor => ({
  shape,
  data: normals(
    shape.reduce((n, dim) => n * dim, 1),
    keyOf(seed, name),
    { mean: 0, deviation: 1 },
  ),
})
const shapes = fc.constantFrom([60, 90] as const, [90, 60] as const, [64, 64] as const)
const seeds = fc.nat(1000)

test('principal gives a product of no larger rank back', () => {
  fc.assert(
    fc.property(shapes, seeds, fc.integer({ min: 1, max: 6 }), ([out, width], seed, rank) => {
      const data = lowRankIncrement({ a: random(seed, 'a', rank, width), b: random(seed, 'b', out, rank), scale: 0.01 })
      const pair = principal({ shape: [out, width], data }, 6)
      assertNear(lowRankIncrement({ ...pair, scale: 1 }), data, 1e-6)
      assert.ok(Math.abs(squaredNorm(pair.b.data) / squaredNorm(data) - 1) < 1e-5)
    }),
    { numRuns: 20 },
  )
})

test('principal keeps nearly what the best approximation keeps, of differences without any structure, and says how much', () => {
  fc.assert(
    fc.property(shapes, seeds, fc.integer({ min: 1, max: 6 }), ([out, width], seed, rank) => {
      const dense = random(seed, 'dense', out, width)
      const [best, pair] = [factorise(dense, rank), principal(dense, rank)]
      const [most, kept] = [squaredNorm(best.b.data), squaredNorm(pair.b.data)]
      assert.ok(kept >= 0.99 * most && kept <= most * (1 + 1e-5), `${kept} of ${most}`)
      const product = lowRankIncrement({ ...pair, scale: 1 })
      const left = squaredNorm(dense.data.map((value, i) => value - product[i]!))
      assertNear([left / squaredNorm(dense.data)], [1 - kept / squaredNorm(dense.data)], 1e-5)
    }),
    { numRuns: 20 },
  )
})
