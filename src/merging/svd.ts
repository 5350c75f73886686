import { EigenvalueDecomposition, Matrix, QrDecomposition, SingularValueDecomposition } from 'ml-matrix'
import { lowRankIncrement } from '../methods/low-rank.ts'
import type { Factors, Tensor } from '../nn/method.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'

/** Two factors of one map, scale 1: A `[r, in]`, B `[out, r]`. */
export type Pair = Pick<Factors, 'a' | 'b'>

const matrixOf = ({ shape, data }: Tensor): Matrix => Matrix.from1DArray(shape[0]!, shape[1]!, data)
const tensorOf = (matrix: Matrix): Tensor => ({
  shape: [matrix.rows, matrix.columns],
  data: Float32Array.from(matrix.to1DArray()),
})
const columns = (matrix: Matrix, indices: readonly number[]): Matrix => matrix.subMatrixColumn([...indices])

/** The indices of the largest values, largest first. */
const largest = (values: readonly number[], count: number): number[] =>
  values
    .map((_, i) => i)
    .sort((i, j) => values[j]! - values[i]! || i - j)
    .slice(0, count)

/**
 * The best approximation of a dense `[out, in]` by so small a rank (Eckart and Young 1936): B holds the left singular vectors times
 * the singular values, A the right ones. They come from the eigenvectors of the smaller Gram matrix, which takes a tenth of the
 * time of a whole decomposition; what float32 can tell apart is kept.
 */
export function factorise(dense: Tensor, rank: number): Pair {
  const [out, width] = dense.shape as [number, number]
  const delta = matrixOf(dense)
  const wide = width > out
  const gram = wide ? delta.mmul(delta.transpose()) : delta.transpose().mmul(delta)
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(gram, { assumeSymmetric: true })
  const vectors = columns(eigenvectorMatrix, largest(realEigenvalues, Math.min(rank, out, width)))
  if (!wide) return { a: tensorOf(vectors.transpose()), b: tensorOf(delta.mmul(vectors)) }
  const a = vectors.transpose().mmul(delta)
  const sizes = a.to2DArray().map((row) => Math.hypot(...row) || 1)
  for (const [i, size] of sizes.entries()) {
    a.mulRow(i, 1 / size)
    vectors.mulColumn(i, size)
  }
  return { a: tensorOf(a), b: tensorOf(vectors) }
}

/** The same approximation of a product `B A` from its factors: QR of both, then the decomposition of a small core. */
export function refactor({ a, b }: Pair, rank: number): Pair {
  const [inner, width, out] = [a.shape[0]!, a.shape[1]!, b.shape[0]!]
  if (inner > Math.min(width, out)) return factorise({ shape: [out, width], data: lowRankIncrement({ a, b, scale: 1 }) }, rank)
  const [left, right] = [new QrDecomposition(matrixOf(b)), new QrDecomposition(matrixOf(a).transpose())]
  const core = left.upperTriangularMatrix.mmul(right.upperTriangularMatrix.transpose())
  const { leftSingularVectors: u, rightSingularVectors: v, diagonal } = new SingularValueDecomposition(core)
  const kept = largest(diagonal, Math.min(rank, inner))
  const scaled = columns(u, kept).mulRowVector(kept.map((i) => diagonal[i]!))
  return { a: tensorOf(right.orthogonalMatrix.mmul(columns(v, kept)).transpose()), b: tensorOf(left.orthogonalMatrix.mmul(scaled)) }
}

/** Directions that are followed besides those that are kept, and how often all are sharpened. */
const [SPARE, ROUNDS] = [8, 8]

/**
 * The best approximation of a dense `[out, in]` but for a little, in a fraction of the time: a few directions at random, drawn
 * towards the largest singular vectors by powers of `D Dᵀ` (Halko, Martinsson and Tropp 2011, algorithm 4.4). Exact where D has no
 * larger rank. The rows of A are orthonormal, so that B has the norm of the product.
 */
export function principal(dense: Tensor, rank: number): Pair {
  const [out, width] = dense.shape as [number, number]
  const followed = rank + SPARE
  if (2 * followed > Math.min(out, width)) return factorise(dense, rank)
  const delta = matrixOf(dense)
  const orthonormal = (matrix: Matrix): Matrix => new QrDecomposition(matrix).orthogonalMatrix
  const { normal } = stream(keyOf('principal'))
  let left = orthonormal(delta.mmul(Matrix.from1DArray(width, followed, Array.from({ length: width * followed }, normal))))
  for (let round = 0; round < ROUNDS; round++) {
    const right = orthonormal(left.transpose().mmul(delta).transpose())
    left = orthonormal(delta.mmul(right))
  }
  return refactor({ a: tensorOf(left.transpose().mmul(delta)), b: tensorOf(left) }, rank)
}
