import type { Value } from '../graph/graph.ts'
import { layerNorm } from '../graph/ops/normalize.ts'
import type { Network } from './network.ts'

export interface NormDescription {
  readonly name: string
  readonly layer: number | null
  readonly size: number
  readonly epsilon: number
}

/** Layer normalisation with HF's `<name>.weight` and `<name>.bias`. */
export function norm(network: Network, x: Value, { name, layer, size, epsilon }: NormDescription): Value {
  return layerNorm(x, network.parameter(`${name}.weight`, [size], layer), network.parameter(`${name}.bias`, [size], layer), epsilon)
}
