import type { Value } from '../graph/graph.ts'
import { scalar } from '../graph/graph.ts'
import { add, div, mul, sqrt, sub, where } from '../graph/ops/elementwise.ts'

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

/** What a moving average keeps of itself, and takes of what is new. */
interface Shares {
  readonly keep: Value
  readonly take: Value
}

/** The scalars of an update that is made where a gate is true. */
export interface GatedScalars extends StepScalars {
  readonly gate: Value
  readonly first: Shares
  readonly second: Shares
}

/**
 * Scalars of an update that is made where `gate` is true, `[]` or a value for each slice of axis 0; elsewhere all tensors keep their bits,
 * as nothing is taken of the gradient and the learning rate is 0.
 */
export function gated({ rate, stepSize, deviation }: StepScalars, [beta1, beta2]: AdamWOptions['betas'], gate: Value): GatedScalars {
  const shares = (beta: number): Shares => ({
    keep: where(gate, scalar(gate.graph, beta, rate.dtype), 1),
    take: where(gate, scalar(gate.graph, 1 - beta, rate.dtype), 0),
  })
  return {
    gate,
    rate: where(gate, rate, 0),
    stepSize: where(gate, stepSize, 0),
    deviation,
    first: shares(beta1),
    second: shares(beta2),
  }
}

export interface Moments {
  readonly parameter: Value
  readonly first: Value
  readonly second: Value
}

/** One update of AdamW (Loshchilov and Hutter 2019) with decoupled decay, in torch's order of operations; a gradient that no gate lets through may be NaN. */
export function adamw(
  { parameter, first, second }: Moments,
  given: Value,
  { epsilon, weightDecay }: Omit<AdamWOptions, 'betas'>,
  { gate, rate, stepSize, deviation, first: ofFirst, second: ofSecond }: GatedScalars,
): Moments {
  const gradient = where(gate, given, 0)
  const decayed = weightDecay === 0 ? parameter : mul(parameter, sub(1, mul(rate, weightDecay)))
  const newFirst = add(mul(first, ofFirst.keep), mul(gradient, ofFirst.take))
  const newSecond = add(mul(second, ofSecond.keep), mul(mul(gradient, gradient), ofSecond.take))
  const denominator = add(div(sqrt(newSecond), deviation), epsilon)
  return { parameter: sub(decayed, mul(div(newFirst, denominator), stepSize)), first: newFirst, second: newSecond }
}
