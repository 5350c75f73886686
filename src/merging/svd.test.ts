import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assertNear } from '../../test/behaviour/tiny-model.ts'
import { lowRankIncrement } from '../methods/low-rank.ts'
import type { Tensor } from '../nn/method.ts'
import { squaredNorm } from '../nn/tensor.ts'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { factorise } from './svd.ts'

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

test('factorise gives a product of no larger rank back', () => {
  fc.assert(
    fc.property(shapes, seeds, fc.integer({ min: 1, max: 6 }), ([out, width], seed, rank) => {
      const data = lowRankIncrement({ a: random(seed, 'a', rank, width), b: random(seed, 'b', out, rank), scale: 0.01 })
      const pair = factorise({ shape: [out, width], data }, 6)
      assertNear(lowRankIncrement({ ...pair, scale: 1 }), data, 1e-6)
      assert.ok(Math.abs(squaredNorm(pair.b.data) / squaredNorm(data) - 1) < 1e-5)
    }),
    { numRuns: 20 },
  )
})

test('what is left of a dense matrix is what B does not hold', () => {
  fc.assert(
    fc.property(shapes, seeds, fc.integer({ min: 1, max: 6 }), ([out, width], seed, rank) => {
      const dense = random(seed, 'dense', out, width)
      const pair = factorise(dense, rank)
      const product = lowRankIncrement({ ...pair, scale: 1 })
      const left = squaredNorm(dense.data.map((value, i) => value - product[i]!))
      assertNear([left / squaredNorm(dense.data)], [1 - squaredNorm(pair.b.data) / squaredNorm(dense.data)], 1e-5)
    }),
    { numRuns: 20 },
  )
})

test('a rank beyond what a matrix can have is that of the matrix, which the factors hold whole', () => {
  const dense = random(1, 'dense', 24, 36)
  const pair = factorise(dense, 1e9)
  assert.deepEqual(
    [pair.a.shape, pair.b.shape],
    [
      [24, 36],
      [24, 24],
    ],
  )
  assertNear(lowRankIncrement({ ...pair, scale: 1 }), dense.data, 1e-5)
})
