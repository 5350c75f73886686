import type { Value } from '../graph/graph.ts'
import { add, div, mul, stopGradient, sub } from '../graph/ops/elementwise.ts'
import { logSoftmax, softmax } from '../graph/ops/normalize.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import type { Consistency } from '../nn/consistency.ts'
import { targetCount } from './divisors.ts'

/** What of a divergence's target passes a gradient on. */
const targets: Readonly<Record<Consistency['form'], (x: Value) => Value>> = { reference: stopGradient, symmetric: (x) => x }

/** `Σ counts · Σ p (log p - log q)` for logits of p and q, `[n, classes]`. */
function divergence(target: Value, logits: Value, counts: Value, form: Consistency['form']): Value {
  const held = targets[form]
  const p = held(softmax(target))
  const each = reduceSum(mul(p, sub(held(logSoftmax(target)), logSoftmax(logits))), { axes: [-1] })
  return reduceSum(mul(each, counts))
}

/**
 * AdaMix's consistency between two passes (Wang et al. 2022, eq. 5): half the sum of both KL divergences, in the reference form the
 * target of each without gradient. A mean over the step's targets.
 */
export function symmetricDivergence(first: Value, second: Value, counts: Value, form: Consistency['form']): Value {
  const both = add(divergence(second, first, counts, form), divergence(first, second, counts, form))
  return div(mul(both, 0.5), targetCount(first.graph))
}

/** The consistency of two regressions, `½ mean (y₁ - y₂)²`, in both forms: the divergence of one logit would be identically zero. */
export function squaredDifference(first: Value, second: Value, counts: Value): Value {
  const difference = sub(first, second)
  return div(mul(reduceSum(mul(mul(difference, difference), counts)), 0.5), targetCount(first.graph))
}
