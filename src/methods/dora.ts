import type { Value } from '../graph/graph.ts'
import { add, div, mul, sqrt, stopGradient, sub } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { reduceSumSquare } from '../graph/ops/reduction.ts'
import type { LinearWeights } from '../nn/method.ts'
import type { LinearCall, LinearSite } from '../nn/site.ts'

/** The low-rank factors of a module, A `[r, in]` and B `[out, r]`, with the scale s of their product. */
export interface Factors {
  readonly a: Value
  readonly b: Value
  readonly scale: number
}

/** The length of each row of a weight `[out, in]`. */
export function rowNorms({ out, in: columns }: Pick<LinearSite, 'in' | 'out'>, weight: Float32Array): Float32Array {
  return Float32Array.from({ length: out }, (_, i) => {
    let sum = 0
    for (let j = i * columns; j < (i + 1) * columns; j++) sum += weight[j]! ** 2
    return Math.sqrt(sum)
  })
}

/** `‖W + s B A‖` of each row, `[out]`, a constant for the gradient as in section 4.3 of the paper. */
const directedNorms = ({ a, b, scale }: Factors, weight: Value): Value =>
  stopGradient(sqrt(reduceSumSquare(gemm(b, a, weight, { alpha: scale }), { axes: [1] })))

/**
 * DoRA (Liu et al. 2024) in HF PEFT's form: `W x + b + (m/n - 1) W x' + (m/n) s B A x'` with x' the dropped input, m `[out]` the learned
 * magnitudes and n the lengths of the rows of `W + s B A`. Without dropout that is `(m/n) (W + s B A) x + b`.
 */
export function doraProduct(
  { base, bias, input, weight }: Omit<LinearCall, 'dropout'>,
  factors: Factors,
  magnitude: Value,
  dropped: Value,
  norms = directedNorms,
): Value {
  const ratio = div(magnitude, norms(factors, weight))
  const product = bias ? sub(base(dropped), bias) : base(dropped)
  const inner = gemm(dropped, factors.a, null, { transposeB: true })
  const outer = gemm(inner, factors.b, null, { transposeB: true, alpha: factors.scale })
  return add(base(input), add(mul(product, sub(ratio, 1)), mul(outer, ratio)))
}

/** `W + s B A` with its rows brought to the lengths m. */
export function foldMagnitudes(
  site: LinearSite,
  { weight, bias }: LinearWeights,
  increment: Float32Array,
  magnitude: Float32Array,
): LinearWeights {
  const directed = weight.map((value, i) => value + increment[i]!)
  const norms = rowNorms(site, directed)
  return { weight: directed.map((value, i) => (value * magnitude[Math.floor(i / site.in)]!) / norms[Math.floor(i / site.in)]!), bias }
}
