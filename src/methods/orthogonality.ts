import type { Value } from '../graph/graph.ts'
import { constant } from '../graph/graph.ts'
import { addAll, greater, mul, sqrt, sub, where } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { reduceSumSquare } from '../graph/ops/reduction.ts'
import type { Roles } from '../nn/method.ts'

/** The Frobenius norm with the subgradient 0 at 0, as torch has it. */
function frobenius(x: Value): Value {
  const squares = reduceSumSquare(x)
  const positive = greater(squares, 0)
  return where(positive, sqrt(where(positive, squares, 1)), 0)
}

/** `‖F Fᵀ - I‖` over the rank axis. */
function deviation(factor: Value, rankFirst: boolean): Value {
  const rank = factor.shape[rankFirst ? 0 : 1] as number
  const identity = Array.from({ length: rank * rank }, (_, i) => (i % (rank + 1) === 0 ? 1 : 0))
  const product = gemm(factor, factor, null, { transposeA: !rankFirst, transposeB: rankFirst })
  return frobenius(sub(product, constant(factor.graph, identity, [rank, rank], factor.graph.float)))
}

/**
 * AdaLoRA's regulariser in the form of the references: `weight` times the mean of `‖A Aᵀ - I‖_F` and `‖Bᵀ B - I‖_F` over all factors
 * (the paper's eq. 4 has squares and a sum). Null without weight or modules.
 */
export function orthogonality(modules: readonly Roles[], weight: number): Value | null {
  if (weight === 0 || modules.length === 0) return null
  const norms = modules.flatMap((roles) => [deviation(roles['A.weight']!, true), deviation(roles['B.weight']!, false)])
  return mul(addAll(norms), weight / norms.length)
}
