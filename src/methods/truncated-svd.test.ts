import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { type Dense, truncatedSvd } from './truncated-svd.ts'

const random = (rows: number, columns: number, seed: number, deviation = 1): Dense => ({
  rows,
  columns,
  data: Float64Array.from(normals(rows * columns, keyOf('dense', seed), { mean: 0, deviation })),
})
const matrixOf = ({ rows, columns, data }: Dense): Matrix => Matrix.from1DArray(rows, columns, data)
const denseOf = (matrix: Matrix): Dense => ({ rows: matrix.rows, columns: matrix.columns, data: Float64Array.from(matrix.to1DArray()) })
const valuesOf = (weight: Dense): number[] => new SingularValueDecomposition(matrixOf(weight), { autoTranspose: true }).diagonal

/** Singular values, orthonormal vectors on both sides, and `W v = σ u`, `Wᵀ u = σ v`. */
function assertDecomposed(weight: Dense, rank: number, tolerance: number): void {
  const found = truncatedSvd(weight, rank)
  const expected = valuesOf(weight).slice(0, rank)
  assert.equal(found.length, expected.length)
  const near = (left: number, right: number): void => assert.ok(Math.abs(left - right) <= tolerance * expected[0]!, `${left}, not ${right}`)
  for (const [k, { value }] of found.entries()) near(value, expected[k]!)
  const [u, v] = (['left', 'right'] as const).map((side) => new Matrix(found.map((one) => one[side])).transpose()) as [Matrix, Matrix]
  const scaled = (vectors: Matrix): Matrix => vectors.clone().mulRowVector(found.map(({ value }) => value))
  for (const vectors of [u, v]) near(Matrix.sub(vectors.transpose().mmul(vectors), Matrix.eye(found.length)).norm() * expected[0]!, 0)
  near(Matrix.sub(matrixOf(weight).mmul(v), scaled(u)).norm('max'), 0)
  near(Matrix.sub(matrixOf(weight).transpose().mmul(u), scaled(v)).norm('max'), 0)
}

const sizes = fc.record({ rows: fc.integer({ min: 2, max: 12 }), columns: fc.integer({ min: 2, max: 12 }), seed: fc.nat() })

test('small matrices are decomposed in full', () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 12 }), ({ rows, columns, seed }, rank) =>
      // Half the digits of a value are lost with its square; a rank that random numbers miss is far below them.
      assertDecomposed(random(rows, columns, seed), Math.min(rank, rows, columns), 1e-6),
    ),
    { numRuns: 60 },
  )
})

test('of large matrices the leading part agrees with the whole decomposition', () => {
  const shapes = fc.constantFrom([90, 130] as const, [130, 90] as const, [100, 100] as const)
  fc.assert(
    fc.property(shapes, fc.nat(1000), fc.integer({ min: 1, max: 8 }), fc.constantFrom(0, 0.1, 3), ([rows, columns], seed, rank, noise) => {
      const product = matrixOf(random(rows, 12, seed)).mmul(matrixOf(random(12, columns, seed + 1)))
      const weight = denseOf(Matrix.add(product, matrixOf(random(rows, columns, seed + 2, noise))))
      assertDecomposed(weight, rank, 1e-4)
    }),
    { numRuns: 20 },
  )
})

test('equal singular values, a rank below what is asked for, and zeros are no obstacle', () => {
  const flat = Matrix.eye(80, 80).mul(2)
  assertDecomposed(denseOf(flat), 3, 1e-4)
  const found = truncatedSvd(denseOf(matrixOf(random(80, 3, 1)).mmul(matrixOf(random(3, 90, 2)))), 6)
  assert.equal(found.length, 6)
  for (const { value } of found.slice(3)) assert.ok(value < 1e-6)
  for (const { value, right } of truncatedSvd(denseOf(Matrix.zeros(60, 60)), 2)) {
    assert.equal(value, 0)
    assert.ok(right.every(Number.isFinite))
  }
})
