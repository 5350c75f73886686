import type { Value } from '../graph/graph.ts'
import { add, div, mul, sqrt, sub } from '../graph/ops/elementwise.ts'

export interface AdamWOptions {
  readonly betas: readonly [number, number]
  readonly epsilon: number
  readonly weightDecay: number
}

/** Scalars that the host computes in doubles for each update. */
export interface StepScalars {
  /** Learning rate. */
  readonly rate: Value
  /** rate / (1 - β₁ᵗ) */
  readonly stepSize: Value
  /** √(1 - β₂ᵗ) */
  readonly deviation: Value
}

export interface Moments {
  readonly parameter: Value
  readonly first: Value
  readonly second: Value
}

/** One update of AdamW (Loshchilov and Hutter 2019) with decoupled decay, in torch's order of operations. */
export function adamw(
  { parameter, first, second }: Moments,
  gradient: Value,
  { betas: [beta1, beta2], epsilon, weightDecay }: AdamWOptions,
  { rate, stepSize, deviation }: StepScalars,
): Moments {
  const decayed = weightDecay === 0 ? parameter : mul(parameter, sub(1, mul(rate, weightDecay)))
  const newFirst = add(mul(first, beta1), mul(gradient, 1 - beta1))
  const newSecond = add(mul(second, beta2), mul(mul(gradient, gradient), 1 - beta2))
  const denominator = add(div(sqrt(newSecond), deviation), epsilon)
  return { parameter: sub(decayed, mul(div(newFirst, denominator), stepSize)), first: newFirst, second: newSecond }
}
