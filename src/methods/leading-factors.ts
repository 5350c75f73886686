import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { normals } from '../random/draws.ts'
import type { Key } from '../random/key.ts'

/** A matrix on the host, `[rows, columns]`, row-major, in doubles. */
export interface Dense {
  readonly rows: number
  readonly columns: number
  readonly data: Float64Array
}

/** `X Y`, or `Xᵀ Y`. */
function product({ rows, columns, data: x }: Dense, { columns: width, data: y }: Dense, transposed = false): Dense {
  const result = new Float64Array((transposed ? columns : rows) * width)
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < columns; k++) {
      const factor = x[i * columns + k]!
      const [to, from] = transposed ? [k * width, i * width] : [i * width, k * width]
      for (let j = 0; j < width; j++) result[to + j] = result[to + j]! + factor * y[from + j]!
    }
  }
  return { rows: transposed ? columns : rows, columns: width, data: result }
}

/** An orthonormal basis of the columns, by modified Gram and Schmidt, twice over for full precision. */
function orthonormal({ rows, columns, data }: Dense): Dense {
  const q = Float64Array.from(data)
  const dot = (a: number, b: number): number => {
    let sum = 0
    for (let i = 0; i < rows; i++) sum += q[i * columns + a]! * q[i * columns + b]!
    return sum
  }
  for (let j = 0; j < columns; j++) {
    for (let round = 0; round < 2; round++) {
      for (let k = 0; k < j; k++) {
        const share = dot(k, j)
        for (let i = 0; i < rows; i++) q[i * columns + j]! -= share * q[i * columns + k]!
      }
    }
    const length = Math.sqrt(dot(j, j))
    for (let i = 0; i < rows; i++) q[i * columns + j]! /= length || 1
  }
  return { rows, columns, data: q }
}

/** Factors of the part of a weight `[out, in]` that a start takes over: `left` `[out, rank]` and `right` `[rank, in]`. */
interface LeadingFactors {
  readonly left: Float64Array
  readonly right: Float64Array
}

/** Columns drawn beyond the rank, and rounds of power iteration. */
const [OVERSAMPLED, ROUNDS] = [8, 4]

/**
 * `U √S` and `√S Vᵀ` of the largest `rank` singular values, by a randomised decomposition with power iterations
 * (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1).
 */
export function singularFactors(weight: Dense, rank: number, key: Key): LeadingFactors {
  const { rows, columns } = weight
  const width = Math.min(rank + OVERSAMPLED, rows, columns)
  const drawn = Float64Array.from(normals(columns * width, key, { mean: 0, deviation: 1 }))
  let basis = orthonormal(product(weight, { rows: columns, columns: width, data: drawn }))
  for (let round = 0; round < ROUNDS; round++) basis = orthonormal(product(weight, orthonormal(product(weight, basis, true))))
  // W ≈ Q (Qᵀ W), and the transpose of Qᵀ W is tall: its left vectors are W's right ones.
  const small = product(weight, basis, true)
  const svd = new SingularValueDecomposition(Matrix.from1DArray(small.rows, small.columns, small.data))
  const { diagonal, leftSingularVectors: v, rightSingularVectors: u } = svd
  const left = new Float64Array(rows * rank)
  const right = new Float64Array(rank * columns)
  for (let k = 0; k < rank; k++) {
    const root = Math.sqrt(diagonal[k]!)
    for (let j = 0; j < columns; j++) right[k * columns + j] = root * v.get(j, k)
    for (let i = 0; i < rows; i++) {
      let sum = 0
      for (let c = 0; c < width; c++) sum += basis.data[i * width + c]! * u.get(c, k)
      left[i * rank + k] = root * sum
    }
  }
  return { left, right }
}

/** The first `rank` columns of Q and rows of R of `W = Q R`. */
export function triangularFactors(weight: Dense, rank: number): LeadingFactors {
  const { rows, columns, data } = weight
  const first = Float64Array.from({ length: rows * rank }, (_, i) => data[Math.floor(i / rank) * columns + (i % rank)]!)
  const basis = orthonormal({ rows, columns: rank, data: first })
  return { left: basis.data, right: product(basis, weight, true).data }
}
