import { onDemand } from '../on-demand.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'

const matrices = (): typeof import('ml-matrix') => onDemand('ml-matrix')

/** A matrix on the host, `[rows, columns]`, row-major, in doubles. */
export interface Dense {
  readonly rows: number
  readonly columns: number
  readonly data: Float64Array
}

/** A singular value with its left vector, as long as a column, and its right one. */
export interface Singular {
  readonly value: number
  readonly left: Float64Array
  readonly right: Float64Array
}

/** Four sums at once: one alone would wait for itself. */
function dot(x: Float64Array, y: Float64Array): number {
  const { length } = x
  let [a, b, c, d] = [0, 0, 0, 0]
  let i = 0
  for (; i + 3 < length; i += 4) {
    a += x[i]! * y[i]!
    b += x[i + 1]! * y[i + 1]!
    c += x[i + 2]! * y[i + 2]!
    d += x[i + 3]! * y[i + 3]!
  }
  for (; i < length; i++) a += x[i]! * y[i]!
  return a + b + (c + d)
}

function addTo(sum: Float64Array, factor: number, x: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + factor * x[i]!
}

const normOf = (x: Float64Array): number => Math.sqrt(dot(x, x))

const rowsOf = ({ rows, columns, data }: Dense): Float64Array[] =>
  Array.from({ length: rows }, (_, i) => data.subarray(i * columns, (i + 1) * columns))

const zeros = (count: number, size: number): Float64Array[] => Array.from({ length: count }, () => new Float64Array(size))

function transposed(rows: readonly Float64Array[]): Float64Array[] {
  const result = zeros(rows[0]!.length, rows.length)
  for (const [i, row] of rows.entries()) for (let j = 0; j < row.length; j++) result[j]![i] = row[j]!
  return result
}

export const columnsOf = (weight: Dense): Float64Array[] => transposed(rowsOf(weight))

/** `M x` of each vector, for a matrix by its rows. */
export function applied(rows: readonly Float64Array[], vectors: readonly Float64Array[]): Float64Array[] {
  const result = zeros(vectors.length, rows.length)
  for (const [i, row] of rows.entries()) for (const [k, vector] of vectors.entries()) result[k]![i] = dot(row, vector)
  return result
}

/** Adds the directions of vectors to an orthonormal basis, by Gram and Schmidt, twice over for full precision; changes the vectors. */
export function extend(basis: Float64Array[], vectors: readonly Float64Array[]): void {
  for (const vector of vectors) {
    const before = normOf(vector)
    for (let round = 0; round < 2; round++) for (const known of basis) addTo(vector, -dot(known, vector), known)
    const left = normOf(vector)
    if (left > before * 1e-10) basis.push(vector.map((value) => value / left))
  }
}

/** What an orthonormal basis of left vectors holds best, by the eigenvectors of `(QᵀW)(QᵀW)ᵀ` (Rayleigh and Ritz); `seen` is `Wᵀ q` of each. */
function within(basis: readonly Float64Array[], seen: readonly Float64Array[], rank: number): Singular[] {
  const { EigenvalueDecomposition, Matrix } = matrices()
  const gram = new Matrix(applied(seen, seen))
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(gram, { assumeSymmetric: true })
  const order = realEigenvalues.map((_, k) => k).sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]! || a - b)
  const combined = (vectors: readonly Float64Array[], k: number): Float64Array => {
    const sum = new Float64Array(vectors[0]!.length)
    for (const [i, vector] of vectors.entries()) addTo(sum, eigenvectorMatrix.get(i, k), vector)
    return sum
  }
  return order.slice(0, rank).map((k) => {
    const right = combined(seen, k)
    const value = normOf(right)
    return { value, left: combined(basis, k), right: right.map((each) => each / (value || 1)) }
  })
}

/** Directions that are followed besides those that are kept, and how far `W v` may be from `σ u`, over the largest σ. */
const [SPARE, TOLERANCE] = [8, 1e-4]

/** Whether vectors are singular ones of a matrix, given by its rows, from the left too. */
function areSingular(rows: readonly Float64Array[], found: readonly Singular[]): boolean {
  const images = applied(
    rows,
    found.map(({ right }) => right),
  )
  return found.every(({ value, left }, k) => {
    addTo(images[k]!, -value, left)
    return normOf(images[k]!) <= TOLERANCE * found[0]!.value
  })
}

/**
 * The `rank` largest singular values of a matrix with their vectors, or as many as it has rows or columns.
 * A basis of random combinations of its columns grows by powers of `W Wᵀ` (block Krylov: Musco and Musco 2015, algorithm 2) until its
 * vectors are singular ones by `TOLERANCE`, and becomes the whole space where it would have to be large.
 */
export function truncatedSvd(weight: Dense, rank: number): Singular[] {
  const [across, down] = [rowsOf(weight), columnsOf(weight)]
  if (across.length <= down.length) return leading(across, down, rank)
  return leading(down, across, rank).map(({ value, left, right }) => ({ value, left: right, right: left }))
}

/** The same of a matrix by its rows and its columns, of which there are at least as many. */
function leading(rows: readonly Float64Array[], columns: readonly Float64Array[], rank: number): Singular[] {
  const followed = rank + SPARE
  const { normal } = stream(keyOf('truncated-svd'))
  const basis: Float64Array[] = []
  const seen: Float64Array[] = []
  let block: readonly Float64Array[] = zeros(followed, columns.length).map((vector) => vector.map(normal))
  while (2 * (basis.length + followed) <= rows.length && block.length > 0) {
    const start = basis.length
    extend(basis, applied(rows, block))
    block = applied(columns, basis.slice(start))
    seen.push(...block)
    if (basis.length < rank) break
    const found = within(basis, seen, rank)
    if (areSingular(rows, found)) return found
  }
  const whole = zeros(rows.length, rows.length)
  for (const [i, vector] of whole.entries()) vector[i] = 1
  return within(whole, rows, rank)
}
