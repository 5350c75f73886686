import { Matrix, QrDecomposition, SingularValueDecomposition } from 'ml-matrix'
import { lowRankIncrement } from '../methods/low-rank.ts'
import { truncatedSvd } from '../methods/truncated-svd.ts'
import type { Factors, Tensor } from '../nn/method.ts'

/** Two factors of one map, scale 1: A `[r, in]`, B `[out, r]`. */
export type Pair = Pick<Factors, 'a' | 'b'>

/** The largest rank of some factors. */
export const largestRank = (pairs: Iterable<Pair>): number => Math.max(...Array.from(pairs, ({ a }) => a.shape[0]!))

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
 * the singular values, A the right ones.
 */
export function factorise({ shape: [out, width], data }: Tensor, rank: number): Pair {
  const found = truncatedSvd({ rows: out!, columns: width!, data: Float64Array.from(data) }, Math.min(rank, out!, width!))
  const b = new Matrix(found.map(({ value, left }) => left.map((x) => value * x))).transpose()
  return { a: tensorOf(new Matrix(found.map(({ right }) => right))), b: tensorOf(b) }
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
