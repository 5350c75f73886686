import type { Value } from '../graph/graph.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { split, transpose } from '../graph/ops/movement.ts'
import type { LinearDescription } from './linear.ts'
import type { Network } from './network.ts'
import type { LinearRole, LinearSite } from './site.ts'

/** GPT-2's linear map, `x W + b` with HF's `<name>.weight` `[in, out]`; opens a linear site. */
export function conv1d(network: Network, x: Value, place: Omit<LinearDescription, 'bias'>): Value {
  const [weight, bias] = parametersOf(network, place)
  const stored = { module: place.name, transposed: true, part: 0, parts: 1 }
  return network.linear(
    { kind: 'linear', bias: true, stored, ...place },
    { input: x, weight: transpose(weight, [1, 0]), bias, base: (input, other = bias) => gemm(input, weight, other) },
  )
}

const parametersOf = (network: Network, { name, in: inner, out, layer }: Omit<LinearDescription, 'bias'>): [Value, Value] => [
  network.parameter(`${name}.weight`, [inner, out], layer),
  network.parameter(`${name}.bias`, [out], layer),
]

/** A map that one product of GPT-2's makes, under a name of its own. */
export interface Projection {
  readonly name: string
  readonly role: LinearRole
}

/**
 * Several maps of one input in one product, as query, key and value in GPT-2's `c_attn`: a site for the whole and one for each part.
 * `out` is the size of a part.
 */
export function fusedConv1d(
  network: Network,
  x: Value,
  place: Omit<LinearSite, 'kind' | 'bias' | 'role' | 'within' | 'stored'>,
  projections: readonly Projection[],
): Value[] {
  const parts = projections.length
  const whole = { ...place, role: 'projection', out: parts * place.out } as const
  const product = conv1d(network, x, whole)
  const [weight, bias] = parametersOf(network, whole)
  const products = split(product, 1, parts)
  const [weights, biases] = [split(weight, 1, parts), split(bias, 0, parts)]
  return projections.map(({ name, role }, part) => {
    const stored = { module: place.name, transposed: true, part, parts }
    return network.linear(
      { ...place, kind: 'linear', bias: true, name, role, within: place.name, stored },
      {
        input: x,
        weight: transpose(weights[part]!, [1, 0]),
        bias: biases[part]!,
        base: (input, other) => (input === x && !other ? products[part]! : gemm(input, weights[part]!, other ?? biases[part]!)),
      },
    )
  })
}
