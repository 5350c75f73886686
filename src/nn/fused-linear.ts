import type { Value } from '../graph/graph.ts'
import { split } from '../graph/ops/movement.ts'
import { type LinearDescription, linear, linearParameters } from './linear.ts'
import type { Network } from './network.ts'
import type { LinearRole } from './site.ts'

/** A map that one product makes with others, under a name of its own. */
export interface Projection {
  readonly name: string
  readonly role: LinearRole
}

/**
 * Several maps of one input in one product, as query, key and value in GPT-2's `c_attn`: a site for the whole and one for each part.
 * `out` is the size of a part.
 */
export function fusedLinear(
  network: Network,
  x: Value,
  place: Omit<LinearDescription, 'role'>,
  projections: readonly Projection[],
): Value[] {
  const parts = projections.length
  const { bias: hasBias = true, transposed = false, ...own } = place
  const whole = { ...place, role: 'projection', out: parts * place.out } as const
  const products = split(linear(network, x, whole), 1, parts)
  const { weight, bias, product, upright } = linearParameters(network, whole)
  const weights = split(weight, transposed ? 1 : 0, parts)
  const biases = bias && split(bias, 0, parts)
  return projections.map(({ name, role }, part) => {
    const stored = { module: place.name, transposed, part, parts }
    return network.linear(
      { ...own, kind: 'linear', bias: hasBias, name, role, within: place.name, stored },
      {
        input: x,
        weight: upright(weights[part]!),
        bias: biases?.[part] ?? null,
        base: (input, other) => (input === x && !other ? products[part]! : product(input, weights[part]!, other ?? biases?.[part] ?? null)),
      },
    )
  })
}
