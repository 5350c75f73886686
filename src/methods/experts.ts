import { type Deployed, deployed, type Method } from '../nn/method.ts'
import type { Tensor } from '../nn/tensor.ts'

/** Which parameters of a mixture's state are stacks, and of how many experts; 1 for those that all share. */
export interface Experts {
  readonly count: number
  readonly pools: ReadonlyMap<string, number>
}

type State = ReadonlyMap<string, Tensor>

/** The state of the wrapped method for each expert. Its arrays are views: what is written to them is written to the mixture. */
export function expertsOf(state: State, { count, pools }: Experts): Map<string, Tensor>[] {
  return Array.from({ length: count }, (_, k) => {
    const one = ([name, tensor]: readonly [string, Tensor]): [string, Tensor] => {
      const pool = pools.get(name)
      if (pool === undefined) return [name, tensor]
      const size = tensor.data.length / pool
      const at = pool === 1 ? 0 : k
      return [name, { shape: tensor.shape.slice(1), data: tensor.data.subarray(at * size, (at + 1) * size) }]
    }
    return new Map([...state].map(one))
  })
}

/** The mean of equal shapes, summed in doubles. */
function mean(tensors: readonly Tensor[]): Tensor {
  const [{ shape, data: first }] = tensors as readonly [Tensor]
  const data = Float32Array.from(first, (_, i) => tensors.reduce((sum, { data }) => sum + data[i]!, 0) / tensors.length)
  return { shape, data }
}

/** What stands for a mixture outside of training: each expert as its method deploys it, and the mean of these. */
export function meanOfExperts(inner: Method, state: State, experts: Experts): Deployed {
  const each = expertsOf(state, experts).map((one) => deployed(inner, one))
  const [first] = each as [Deployed]
  const merged = [...first.state].map(([name, tensor]): [string, Tensor] => {
    const same = each.map((one) => one.state.get(name)!)
    return [name, same.every(({ data }) => data === tensor.data) ? tensor : mean(same)]
  })
  return { method: first.method, state: new Map(merged) }
}
