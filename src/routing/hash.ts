import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { add, cast, modulo, mul } from '../graph/ops/elementwise.ts'
import { oneHot } from '../graph/ops/indexing.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { defineRouting } from './definition.ts'

export const hashOptions = z.strictObject({
  name: z.literal('hash'),
  seed: z.number().int().nonnegative().default(0).describe('of the function from ids to experts'),
})

const PRIME = 2 ** 31 - 1

/** The expert of each token id: `((a id + b) mod p) mod experts`, with a and b drawn (Carter and Wegman 1979). */
export function hashed(ids: Value, experts: number, seed: number): Value {
  const { below } = stream(keyOf('hash', seed))
  const [a, b] = [1 + below(PRIME - 1), below(PRIME)]
  return modulo(modulo(add(mul(cast(ids, 'int64'), a), b), PRIME), experts)
}

/**
 * Hash routing (Roller et al. 2021): a token's id alone decides its expert, by one function for all layers. A random function of a
 * universal family takes the place of the paper's random table, so that no vocabulary is stored. Nothing is trained or balanced.
 */
export const hash = defineRouting<z.infer<typeof hashOptions>>({
  options: hashOptions,
  merges: false,
  form: ({ seed }) => ({ seed }),
  create: ({ seed }, experts) => ({
    per: 'token',
    parameters: () => ({}),
    gates: ({ ids }) => ({ gates: oneHot(hashed(ids(), experts, seed), experts), loss: null }),
  }),
})
