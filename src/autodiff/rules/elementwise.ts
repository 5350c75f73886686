import type { Shape } from '../../graph/dim.ts'
import type { Value } from '../../graph/graph.ts'
import { cast, cos, div, exp, greater, mul, neg, sign, sin, sub, where } from '../../graph/ops/elementwise.ts'
import { reshape } from '../../graph/ops/movement.ts'
import { reduceSum } from '../../graph/ops/reduction.ts'
import { again } from '../again.ts'
import type { Rule, Rules } from './rule.ts'

/** Sums a gradient over the axes along which the operand was broadcast. */
export function unbroadcast(gradient: Value, shape: Shape): Value {
  const extra = gradient.shape.length - shape.length
  const axes = gradient.shape.flatMap((dim, i) => (i < extra || (shape[i - extra] === 1 && dim !== 1) ? [i] : []))
  return axes.length === 0 ? gradient : reshape(reduceSum(gradient, { axes, keep: true }), shape)
}

/** A rule for an operator whose operands broadcast: the gradients before summing over broadcast axes. */
function broadcasting(rule: (g: Value, x: Value, y: Value, out: Value) => [() => Value, () => Value]): Rule {
  return ({ inputs: [x, y], outputs: [out] }, [g], wants) =>
    rule(g!, x!, y!, out!).map((gradient, i) => (wants[i] ? unbroadcast(gradient(), [x!, y!][i]!.shape) : null))
}

function unary(rule: (g: Value, x: Value, out: Value) => Value): Rule {
  return ({ inputs: [x], outputs: [out] }, [g]) => [rule(g!, x!, out!)]
}

export const elementwise: Rules = {
  Add: broadcasting((g) => [() => g, () => g]),
  Sub: broadcasting((g) => [() => g, () => neg(g)]),
  Mul: broadcasting((g, x, y) => [() => mul(g, again(y)), () => mul(g, again(x))]),
  Div: broadcasting((g, _x, y, out) => [() => div(g, y), () => neg(mul(g, div(out, y)))]),
  Sum: ({ inputs }, [g]) => inputs.map(() => g!),
  Where: ({ inputs: [condition, x, y] }, [g], wants) => [
    null,
    wants[1] ? unbroadcast(where(condition!, g!, 0), x!.shape) : null,
    wants[2] ? unbroadcast(where(condition!, 0, g!), y!.shape) : null,
  ],
  Neg: unary((g) => neg(g)),
  Abs: unary((g, x) => mul(g, sign(x))),
  Sqrt: unary((g, _x, out) => div(mul(g, 0.5), out)),
  Exp: unary((g, _x, out) => mul(g, out)),
  Log: unary((g, x) => div(g, x)),
  Tanh: unary((g, _x, out) => mul(g, sub(1, mul(out, out)))),
  Cos: unary((g, x) => neg(mul(g, sin(x)))),
  Sin: unary((g, x) => mul(g, cos(x))),
  Sigmoid: unary((g, _x, out) => mul(g, mul(out, sub(1, out)))),
  Relu: unary((g, x) => mul(g, cast(greater(x, 0), x.dtype))),
  Erf: unary((g, x) => mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))),
  Min: broadcasting((g, x, y) => [() => where(greater(x, y), 0, g), () => where(greater(x, y), g, 0)]),
}
