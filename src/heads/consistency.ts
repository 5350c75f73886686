import type { Value } from '../graph/graph.ts'
import { add, div, mul, stopGradient, sub } from '../graph/ops/elementwise.ts'
import { reshape } from '../graph/ops/movement.ts'
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

/** `½ mean (y₁ - y₂)²`; the mean is over the step's targets. */
function squaredDifference(first: Value, second: Value, counts: Value): Value {
  const difference = reshape(sub(first, second), counts.shape)
  return div(mul(reduceSum(mul(mul(difference, difference), counts)), 0.5), targetCount(first.graph))
}

/** The consistency of two regressions, `[n, 1]` each. As a divergence it is that of a softmax over one logit: 0, with a gradient of 0. */
export const betweenNumbers = (first: Value, second: Value, counts: Value, { numbers, form }: Consistency): Value =>
  numbers === 'square' ? squaredDifference(first, second, counts) : symmetricDivergence(first, second, counts, form)
