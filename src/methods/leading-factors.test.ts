import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { normals } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { type Dense, singularFactors, triangularFactors } from './leading-factors.ts'

const dense = (rows: number, columns: number, seed: number): Dense => ({
  rows,
  columns,
  data: Float64Array.from(normals(rows * columns, keyOf('dense', seed), { mean: 0, deviation: 1 })),
})
const matrix = ({ rows, columns, data }: Dense): Matrix => Matrix.from1DArray(rows, columns, data)
const shapes = fc.record({ rows: fc.integer({ min: 2, max: 12 }), columns: fc.integer({ min: 2, max: 12 }), seed: fc.nat() })

test('what singular factors leave of a matrix has its smaller singular values', () => {
  fc.assert(
    fc.property(shapes, fc.double({ min: 0, max: 1, noNaN: true }), ({ rows, columns, seed }, share) => {
      const weight = dense(rows, columns, seed)
      const least = Math.min(rows, columns)
      const rank = 1 + Math.floor(share * (least - 1))
      const { left, right } = singularFactors(weight, rank, keyOf('draw'))
      const rest = Matrix.sub(matrix(weight), Matrix.from1DArray(rows, rank, left).mmul(Matrix.from1DArray(rank, columns, right)))
      const values = (of: Matrix): number[] => new SingularValueDecomposition(of, { autoTranspose: true }).diagonal
      const expected = [...values(matrix(weight)).slice(rank), ...Array.from({ length: rank }, () => 0)]
      values(rest).forEach((value, i) => {
        assert.ok(Math.abs(value - expected[i]!) < 2e-2, `${i}: ${value}, expected ${expected[i]}`)
      })
      // Both factors have the same share of each value.
      for (let k = 0; k < rank; k++) {
        const norm = (length: number, at: (i: number) => number): number => Math.hypot(...Array.from({ length }, (_, i) => at(i)))
        const [a, b] = [norm(rows, (i) => left[i * rank + k]!), norm(columns, (j) => right[k * columns + j]!)]
        assert.ok(Math.abs(a - b) < 1e-9)
      }
    }),
    { numRuns: 40 },
  )
})

test('triangular factors make the first columns, the left of them orthonormal', () => {
  fc.assert(
    fc.property(shapes, ({ rows, columns, seed }) => {
      const weight = dense(rows, columns, seed)
      const rank = Math.ceil(Math.min(rows, columns) / 2)
      const { left, right } = triangularFactors(weight, rank)
      const [q, r] = [Matrix.from1DArray(rows, rank, left), Matrix.from1DArray(rank, columns, right)]
      assert.ok(Matrix.sub(q.transpose().mmul(q), Matrix.eye(rank)).norm() < 1e-9)
      const first = Matrix.sub(q.mmul(r), matrix(weight)).subMatrix(0, rows - 1, 0, rank - 1)
      assert.ok(first.norm() < 1e-9)
      // R is triangular.
      for (let i = 0; i < rank; i++) for (let j = 0; j < i; j++) assert.ok(Math.abs(r.get(i, j)) < 1e-9)
    }),
    { numRuns: 40 },
  )
})
