import type { Value } from '../graph/graph.ts'
import { gemm } from '../graph/ops/matmul.ts'
import type { Network } from './network.ts'
import type { LinearSite } from './site.ts'

export type LinearDescription = Omit<LinearSite, 'kind' | 'bias'> & { readonly bias?: boolean }

/** `x Wᵀ + b` on `[tokens, in]` with HF's `<name>.weight` `[out, in]` and `<name>.bias`; opens a linear site. */
export function linear(network: Network, x: Value, { bias: hasBias = true, ...place }: LinearDescription): Value {
  const weight = network.parameter(`${place.name}.weight`, [place.out, place.in], place.layer)
  const bias = hasBias ? network.parameter(`${place.name}.bias`, [place.out], place.layer) : null
  const base = (input: Value, other = bias): Value => gemm(input, weight, other, { transposeB: true })
  return network.linear({ kind: 'linear', bias: hasBias, ...place }, { input: x, weight, bias, base })
}
