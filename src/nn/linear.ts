import type { Value } from '../graph/graph.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { transpose } from '../graph/ops/movement.ts'
import type { Network } from './network.ts'
import type { LinearSite } from './site.ts'

export type LinearDescription = Omit<LinearSite, 'kind' | 'bias' | 'stored' | 'within'> & {
  /** True by default. */
  readonly bias?: boolean
  /** Whether HF keeps the weight `[in, out]`, as in GPT-2. */
  readonly transposed?: boolean
}

/** A map's tensors as the checkpoint has them, and its product with `weight` so kept. */
export function linearParameters(network: Network, { name, in: inner, out, layer, bias = true, transposed = false }: LinearDescription) {
  return {
    weight: network.parameter(`${name}.weight`, transposed ? [inner, out] : [out, inner], layer),
    bias: bias ? network.parameter(`${name}.bias`, [out], layer) : null,
    product: (x: Value, weight: Value, added: Value | null): Value => gemm(x, weight, added, { transposeB: !transposed }),
    /** A weight so kept as `[out, in]`. */
    upright: (weight: Value): Value => (transposed ? transpose(weight, [1, 0]) : weight),
  }
}

/** `x Wᵀ + b` on `[tokens, in]` with HF's `<name>.weight` `[out, in]` and `<name>.bias`; opens a linear site. */
export function linear(network: Network, x: Value, description: LinearDescription): Value {
  const { bias: hasBias = true, transposed = false, ...place } = description
  const { weight, bias, product, upright } = linearParameters(network, description)
  const stored = transposed ? { stored: { module: place.name, transposed, part: 0, parts: 1 } } : {}
  return network.linear(
    { kind: 'linear', bias: hasBias, ...stored, ...place },
    { input: x, weight: upright(weight), bias, base: (input, other = bias ?? undefined) => product(input, weight, other ?? null) },
  )
}
