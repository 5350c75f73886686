import { type Deployed, deployed, type Method } from '../nn/method.ts'
import type { Tensor } from '../nn/tensor.ts'

/** Which parameters of a mixture's state are stacks, and of how many experts; 1 for those that all share. */
export type Stacks = ReadonlyMap<string, number>

type State = ReadonlyMap<string, Tensor>

/**
 * The state of the wrapped method with the expert of each stack that `choose` names; it is asked for stacks of more than one. Arrays are
 * views: what is written to them is written to the mixture.
 */
export function pickedFrom(state: State, stacks: Stacks, choose: (parameter: string) => number): Map<string, Tensor> {
  const one = ([name, tensor]: readonly [string, Tensor]): [string, Tensor] => {
    const count = stacks.get(name)
    if (count === undefined) return [name, tensor]
    const size = tensor.data.length / count
    const at = count === 1 ? 0 : choose(name)
    return [name, { shape: tensor.shape.slice(1), data: tensor.data.subarray(at * size, (at + 1) * size) }]
  }
  return new Map([...state].map(one))
}

/** The state of the wrapped method for each expert, as views. */
export const expertsOf = (state: State, stacks: Stacks, count: number): Map<string, Tensor>[] =>
  Array.from({ length: count }, (_, k) => pickedFrom(state, stacks, () => k))

/** The mean of equal shapes, summed in doubles. */
function mean(tensors: readonly Tensor[]): Tensor {
  const [{ shape, data: first }] = tensors as readonly [Tensor]
  const data = Float32Array.from(first, (_, i) => tensors.reduce((sum, { data }) => sum + data[i]!, 0) / tensors.length)
  return { shape, data }
}

/** What stands for a mixture outside of training: each expert as its method deploys it, and the mean of these. */
export function meanOfExperts(inner: Method, state: State, stacks: Stacks, count: number): Deployed {
  const each = expertsOf(state, stacks, count).map((one) => deployed(inner, one))
  const [first] = each as [Deployed]
  const merged = [...first.state].map(([name, tensor]): [string, Tensor] => {
    const same = each.map((one) => one.state.get(name)!)
    return [name, same.every(({ data }) => data === tensor.data) ? tensor : mean(same)]
  })
  return { method: first.method, state: new Map(merged) }
}
