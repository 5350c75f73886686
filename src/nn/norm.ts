import type { Value } from '../graph/graph.ts'
import { layerNorm, rootMeanSquareNorm } from '../graph/ops/normalize.ts'
import type { Network } from './network.ts'

export interface NormDescription {
  readonly name: string
  readonly layer: number | null
  readonly size: number
  readonly epsilon: number
}

/** Layer normalisation with HF's `<name>.weight` and `<name>.bias`; opens a norm site. */
export function norm(network: Network, x: Value, { name, layer, size, epsilon }: NormDescription): Value {
  const weight = network.parameter(`${name}.weight`, [size], layer)
  const bias = network.parameter(`${name}.bias`, [size], layer)
  const base = (input: Value, other = bias): Value => layerNorm(input, weight, other, epsilon)
  return network.norm({ kind: 'norm', name, layer, size }, { input: x, weight, bias, base })
}

/** Normalisation by the root mean square alone (Zhang and Sennrich 2019), with HF's `<name>.weight`; it has no bias, and no site. */
export const scaleNorm = (network: Network, x: Value, { name, layer, size, epsilon }: NormDescription): Value =>
  rootMeanSquareNorm(x, network.parameter(`${name}.weight`, [size], layer), epsilon)
