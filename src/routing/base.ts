import { z } from 'zod'
import { mul, sigmoid } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { balancedAssignment } from './assignment.ts'
import { defineRouting } from './definition.ts'
import { smallWeights } from './initial.ts'
import { largest } from './selection.ts'

export const baseOptions = z.strictObject({ name: z.literal('base') })

/**
 * BASE (Lewis et al. 2021): in training the balanced assignment of tokens to experts with the largest sum of scores `h · w_a`, else each
 * token's largest; `y = h + σ(h · w_a) E_a(h)`. Scores start with rows of length about 0.1, as in the authors' code.
 */
export const base = defineRouting<z.infer<typeof baseOptions>>({
  options: baseOptions,
  merges: false,
  create: (_options, experts) => ({
    per: 'token',
    parameters: (width) => ({ weight: smallWeights(experts, width, 0.01) }),
    gates({ input, weights, noise }) {
      const scores = gemm(input, weights.weight!, null, { transposeB: true })
      return { gates: mul(sigmoid(scores), noise ? balancedAssignment(scores) : largest(scores)), loss: null }
    },
  }),
})
