import type { Value } from '../graph/graph.ts'
import { add } from '../graph/ops/elementwise.ts'
import { layerNorm, rootMeanSquareNorm } from '../graph/ops/normalize.ts'
import type { Network } from './network.ts'

export interface NormDescription {
  readonly name: string
  readonly layer: number | null
  readonly size: number
  readonly epsilon: number
}

/** Layer normalisation with HF's `<name>.weight` and, where it has one, `<name>.bias`; opens a norm site where it has. */
export function norm(
  network: Network,
  x: Value,
  { name, layer, size, epsilon, bias: hasBias = true }: NormDescription & { readonly bias?: boolean },
): Value {
  const weight = network.parameter(`${name}.weight`, [size], layer, 1)
  if (!hasBias) return layerNorm(x, weight, null, epsilon)
  const bias = network.parameter(`${name}.bias`, [size], layer)
  const base = (input: Value, other = bias): Value => layerNorm(input, weight, other, epsilon)
  return network.norm({ kind: 'norm', name, layer, size }, { input: x, weight, bias, base })
}

export interface ScaleNormDescription extends NormDescription {
  /** What the weight is counted from. */
  readonly around?: number
}

/** Normalisation by the root mean square alone (Zhang and Sennrich 2019), with HF's `<name>.weight`; it has no bias, and no site. */
export function scaleNorm(network: Network, x: Value, { name, layer, size, epsilon, around = 0 }: ScaleNormDescription): Value {
  const weight = network.parameter(`${name}.weight`, [size], layer, 1 - around)
  return rootMeanSquareNorm(x, around === 0 ? weight : add(weight, around), epsilon)
}
