import { Matrix, QrDecomposition, SingularValueDecomposition } from 'ml-matrix'
import type { Factors, Method, Tensor } from '../nn/method.ts'
import { parameterName } from '../nn/method.ts'
import type { LinearSite } from '../nn/site.ts'
import type { Outline } from './assembly.ts'

/** The increment at one module, seen through its singular values. */
export interface Spectrum {
  readonly module: string
  readonly rank: number
  /** c of the increment `c B A`. */
  readonly scale: number
  /** The absolute values of the method's own singular values, largest first; null for a method without any. */
  readonly lambda: readonly number[] | null
  /** The singular values of the increment, largest first. */
  readonly singularValues: readonly number[]
}

const descending = (values: Iterable<number>): number[] => [...values].sort((a, b) => b - a)
const matrixOf = ({ shape, data }: Tensor): Matrix => Matrix.from1DArray(shape[0]!, shape[1]!, data)

/** What a tall matrix leaves besides orthonormal columns; a wide one is as small as it gets. */
const core = (matrix: Matrix): Matrix => (matrix.rows > matrix.columns ? new QrDecomposition(matrix).upperTriangularMatrix : matrix)

/** The singular values of `scale · B A`, those of a product of two triangles of the rank's size. */
export function singularValues({ a, b, scale }: Factors): number[] {
  const product = core(matrixOf(b)).mmul(core(matrixOf(a).transpose()).transpose())
  return descending(new SingularValueDecomposition(product, { autoTranspose: true }).diagonal.map((value) => Math.abs(scale) * value))
}

/** The spectra of a method's increments, for the modules where it has any; none for a method whose increments are no products. */
export function spectra({ sites }: Outline, method: Method, state: ReadonlyMap<string, Tensor>): Spectrum[] {
  const { factors } = method
  if (!factors) return []
  const linear = sites.filter((site): site is LinearSite => site.kind === 'linear')
  return linear.flatMap((site) => {
    const roles = Object.fromEntries(Object.keys(method.parameters(site)).map((role) => [role, state.get(parameterName(site, role))!]))
    if (Object.keys(roles).length === 0) return []
    const given = factors(site, roles)
    return {
      module: site.name,
      rank: given.a.shape[0]!,
      scale: given.scale,
      lambda: given.singular ? descending(given.singular.map(Math.abs)) : null,
      singularValues: singularValues(given),
    }
  })
}
