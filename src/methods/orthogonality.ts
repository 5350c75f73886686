import type { Value } from '../graph/graph.ts'
import { constant } from '../graph/graph.ts'
import { addAll, greater, mul, sqrt, sub, where } from '../graph/ops/elementwise.ts'
import { batchedMatmul } from '../graph/ops/matmul.ts'
import { concat, reshape } from '../graph/ops/movement.ts'
import { reduceSum, reduceSumSquare } from '../graph/ops/reduction.ts'
import { grouped } from '../grouped.ts'
import type { Roles, Tensor } from '../nn/method.ts'

/** The Frobenius norm of each of several matrices, `[n]`, with the subgradient 0 at 0, as torch has it. */
function frobenius(matrices: Value): Value {
  const squares = reduceSumSquare(matrices, { axes: [1, 2] })
  const positive = greater(squares, 0)
  return where(positive, sqrt(where(positive, squares, 1)), 0)
}

/** `‖F Fᵀ - I‖_F` over the rank axis of each of several factors of one shape, `[n]`. */
function deviations(factors: readonly Value[], rankFirst: boolean): Value {
  const { graph, shape } = factors[0]!
  const rank = shape[rankFirst ? 0 : 1] as number
  const identity = Array.from({ length: rank * rank }, (_, i) => (i % (rank + 1) === 0 ? 1 : 0))
  const all = reshape(concat(factors, 0), [factors.length, ...shape])
  const products = batchedMatmul(all, all, { transposeA: !rankFirst, transposeB: rankFirst })
  return frobenius(sub(products, constant(graph, identity, [rank, rank], graph.float)))
}

/**
 * AdaLoRA's regulariser in the form of the references: `weight` times the mean of `‖A Aᵀ - I‖_F` and `‖Bᵀ B - I‖_F` over all factors
 * (the paper's eq. 4 has squares and a sum). Null without modules.
 */
export function orthogonality(modules: readonly Roles[], weight: number): Value | null {
  if (modules.length === 0) return null
  const sums = (['A.weight', 'B.weight'] as const).flatMap((role) =>
    [...grouped(modules, (roles) => roles[role]!.shape.join()).values()].map((alike) =>
      reduceSum(
        deviations(
          alike.map((roles) => roles[role]!),
          role === 'A.weight',
        ),
      ),
    ),
  )
  return mul(addAll(sums), weight / (2 * modules.length))
}

/** `‖F Fᵀ - I‖_F` of a factor on the host, with its components along `axis`; sums in doubles. */
export function distanceFromOrthogonal({ shape, data }: Tensor, axis: 0 | 1): number {
  const [rank, length] = [shape[axis]!, shape[1 - axis]!]
  const [step, stride] = axis === 0 ? [length, 1] : [1, rank]
  let squares = 0
  for (let i = 0; i < rank; i++) {
    for (let j = 0; j <= i; j++) {
      let product = i === j ? -1 : 0
      for (let k = 0; k < length; k++) product += data[i * step + k * stride]! * data[j * step + k * stride]!
      squares += (i === j ? 1 : 2) * product ** 2
    }
  }
  return Math.sqrt(squares)
}
