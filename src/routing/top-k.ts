import { z } from 'zod'
import { UserError } from '../errors.ts'
import type { Value } from '../graph/graph.ts'
import { abs, add, div, equal, erf, exp, greater, log, mul, neg, relu, sub, where } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { softmax } from '../graph/ops/normalize.ts'
import { reduceSum, reduceSumSquare } from '../graph/ops/reduction.ts'
import { defineRouting } from './definition.ts'
import { zeroWeights } from './initial.ts'
import { places } from './selection.ts'

export const topKOptions = z.strictObject({
  name: z.literal('top-k'),
  k: z.number().int().positive('must be at least 1').default(2).describe('experts of a token'),
  balance: z.number().nonnegative().default(0.1).describe('weight of the losses that even out importance and load of experts'),
})

const softplus = (x: Value): Value => add(relu(x), log(add(exp(neg(abs(x))), 1)))

/** The squared coefficient of variation of a vector: variance over squared mean. */
export function squaredVariation(x: Value): Value {
  const sum = reduceSum(x)
  return sub(div(mul(reduceSumSquare(x), x.shape[0] as number), mul(sum, sum)), 1)
}

/** What no softmax sees. */
const NEVER = -1e30

/**
 * The load of each expert, smooth in the logits (Shazeer et al. 2017, eq. 8 to 10): the probability that it is among the k largest of a
 * token if its own noise alone is drawn anew, summed over tokens. `[experts]` of `clean`, `noisy` and `spread`, `[n, experts]`.
 */
function smoothLoad(clean: Value, noisy: Value, spread: Value, place: Value, k: number): Value {
  const at = (rank: number): Value => reduceSum(where(equal(place, rank), noisy, 0), { axes: [1], keep: true })
  // The k-th largest of the others.
  const threshold = where(greater(k, place), at(k), at(k - 1))
  const above = div(sub(clean, threshold), spread)
  return reduceSum(mul(add(erf(mul(above, Math.SQRT1_2)), 1), 0.5), { axes: [0] })
}

/**
 * Noisy top-k gating (Shazeer et al. 2017): `G = softmax(keepTopK(x W_g + ε softplus(x W_n)))` with normal ε, weights zero at the
 * start; the squared coefficients of variation of importance (sums of gates) and load are added to the loss.
 * @throws UserError for more experts of a token than there are
 */
export const topK = defineRouting<z.infer<typeof topKOptions>>({
  options: topKOptions,
  merges: false,
  form: ({ k }) => ({ k }),
  create({ k, balance }, experts) {
    if (k > experts) throw new UserError(`routing: top-k takes ${k} experts for each token, and there are ${experts}; lower k.`)
    return {
      per: 'token',
      parameters: (width) => ({ weight: zeroWeights(experts, width), spread: zeroWeights(experts, width) }),
      gates({ input, weights, noise }) {
        const clean = gemm(input, weights.weight!, null, { transposeB: true })
        const spread = softplus(gemm(input, weights.spread!, null, { transposeB: true }))
        const noisy = noise ? add(clean, mul(noise('normal', clean), spread)) : clean
        const place = places(noisy)
        const gates = softmax(where(greater(k, place), noisy, NEVER))
        if (!noise || balance === 0) return { gates, loss: null }
        const importance = squaredVariation(reduceSum(gates, { axes: [0] }))
        // With all experts in use there is no load to even out.
        const loss = k === experts ? importance : add(importance, squaredVariation(smoothLoad(clean, noisy, spread, place, k)))
        return { gates, loss: mul(loss, balance) }
      },
    }
  },
})
