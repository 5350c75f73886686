import type { Value } from '../graph/graph.ts'
import { add, addAll, div, min, mul, sqrt } from '../graph/ops/elementwise.ts'
import { reduceSumSquare } from '../graph/ops/reduction.ts'

/** The Euclidean norm over all gradients; one sum in the order in which they arise, last layer first. */
export function globalNorm(gradients: readonly Value[]): Value {
  return sqrt(addAll(gradients.map((gradient) => reduceSumSquare(gradient))))
}

/** The factor that brings a norm down to `most`, as torch's clip_grad_norm_: `min(1, most / (norm + 1e-6))`. */
export function clipFactor(norm: Value, most: number): Value {
  return min(div(most, add(norm, 1e-6)), 1)
}

/** The gradient scaled by the factor, if there is one. */
export const clipped = (gradient: Value, factor: Value | null): Value => (factor ? mul(gradient, factor) : gradient)
