import { UserError } from '../errors.ts'
import type { Value } from '../graph/graph.ts'
import { mul, relu, sigmoid, tanh } from '../graph/ops/elementwise.ts'
import { gelu } from '../graph/ops/fused.ts'

/** Activation functions under HF's names. */
export const activations = {
  gelu: (x: Value): Value => gelu(x),
  gelu_new: (x: Value): Value => gelu(x, 'tanh'),
  gelu_pytorch_tanh: (x: Value): Value => gelu(x, 'tanh'),
  relu: (x: Value): Value => relu(x),
  silu: (x: Value): Value => mul(x, sigmoid(x)),
  swish: (x: Value): Value => mul(x, sigmoid(x)),
  tanh: (x: Value): Value => tanh(x),
} as const

export type Activation = keyof typeof activations
export const activationNames = Object.keys(activations) as [Activation, ...Activation[]]

/** The function of that name. */
export function activation(name: string): (x: Value) => Value {
  if (!Object.hasOwn(activations, name))
    throw new UserError(`The activation "${name}" is not known; known are ${activationNames.join(', ')}.`)
  return activations[name as Activation]
}
