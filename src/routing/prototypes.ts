import { z } from 'zod'
import { UserError } from '../errors.ts'
import { product } from '../graph/dim.ts'
import type { Value } from '../graph/graph.ts'
import { mul } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { reshape } from '../graph/ops/movement.ts'
import { softmax } from '../graph/ops/normalize.ts'
import { defineRouting } from './definition.ts'
import { smallWeights } from './initial.ts'
import { largest } from './selection.ts'

export const prototypesOptions = z.strictObject({
  name: z.literal('prototypes'),
  k: z.number().int().positive('must be at least 1').default(2).describe('groups of experts, each of which gives one to every token'),
})

/** The gates of `k` groups of experts that stand side by side in `logits`, `[n, experts]`. */
export function prototypeGates(logits: Value, k: number): Value {
  const [n, experts] = logits.shape as readonly [number, number]
  const groups = reshape(logits, [product([n, k]), experts / k])
  return reshape(mul(softmax(groups), largest(groups)), [n, experts])
}

/**
 * k top-1 routing (Yang et al. 2021, section 3.2): the experts are k prototypes, groups with a softmax of their own, and
 * `y = Σ_g p_i(g) E_i(g)(x)` over the largest of each. No loss balances them.
 * @throws UserError where the experts make no equal groups
 */
export const prototypes = defineRouting<z.infer<typeof prototypesOptions>>({
  options: prototypesOptions,
  merges: false,
  form: ({ k }) => ({ k }),
  create({ k }, experts) {
    if (experts % k !== 0) throw new UserError(`routing: ${experts} experts do not make ${k} equal prototypes; take a multiple of k.`)
    return {
      per: 'token',
      parameters: (width) => ({ weight: smallWeights(experts, width, 0.1) }),
      gates: ({ input, weights }) => ({
        gates: prototypeGates(gemm(input, weights.weight!, null, { transposeB: true }), k),
        loss: null,
      }),
    }
  },
})
