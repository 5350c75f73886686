import type { Value } from '../../graph/graph.ts'
import { add, erf, exp, hardSigmoid, mul, neg, sub, tanh } from '../../graph/ops/elementwise.ts'
import { rotate } from '../../graph/ops/fused.ts'
import { reshape } from '../../graph/ops/movement.ts'
import type { Rules } from './rule.ts'

/** d/dx [x Phi(x)] = Phi(x) + x phi(x). */
function exactSlope(x: Value): Value {
  const cumulative = hardSigmoid(erf(mul(x, Math.SQRT1_2)), 0.5, 0.5)
  const density = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
  return add(cumulative, mul(x, density))
}

/** The slope of x/2 (1 + tanh u), u = sqrt(2/pi) (x + 0.044715 x^3). */
function tanhSlope(x: Value): Value {
  const c = Math.sqrt(2 / Math.PI)
  const square = mul(x, x)
  const t = tanh(mul(mul(x, add(mul(square, 0.044715), 1)), c))
  const inner = add(mul(square, 3 * 0.044715 * c), c)
  return add(mul(add(t, 1), 0.5), mul(mul(mul(x, 0.5), sub(1, mul(t, t))), inner))
}

export const fused: Rules = {
  Gelu: ({ inputs: [x], attributes }, [g]) => [mul(g!, attributes.approximate === 'tanh' ? tanhSlope(x!) : exactSlope(x!))],
  RotaryEmbedding: ({ inputs: [x, , cosines, sines] }, [g]) => {
    const [, rows, width] = x!.shape
    return [reshape(rotate(reshape(g!, [rows!, width!]), cosines!, neg(sines!)), x!.shape)]
  },
}
