import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { add, cast, div, greater, mul } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { softmax } from '../graph/ops/normalize.ts'
import { cumulativeSum, reduceSum } from '../graph/ops/reduction.ts'
import { defineRouting } from './definition.ts'
import { smallWeights } from './initial.ts'
import { largest } from './selection.ts'

export const switchOptions = z.strictObject({
  name: z.literal('switch'),
  balance: z.number().nonnegative().default(0.01).describe('weight of the loss that evens out the use of experts'),
  capacity: z
    .number()
    .positive()
    .nullable()
    .default(1.25)
    .describe('tokens that an expert takes in training, in equal shares; null takes all'),
  jitter: z.number().min(0).lt(1).default(0.01).describe('what the router reads in training is multiplied by 1 plus or minus up to this'),
})

/**
 * Fedus et al. 2021, eq. 4: `N Σ f_i P_i` with f the share of tokens that go to an expert, without gradient, and P its mean probability;
 * 1 where all experts are used alike. `probabilities` and one-hot `chosen` are `[n, experts]`.
 */
export function switchLoss(probabilities: Value, chosen: Value): Value {
  const counts = reduceSum(chosen, { axes: [0] })
  const n = reduceSum(counts)
  const products = mul(counts, reduceSum(probabilities, { axes: [0] }))
  return div(mul(reduceSum(products), chosen.shape[1] as number), mul(n, n))
}

/** `chosen` without the tokens that come after an expert has `capacity` times an equal share; `⌈capacity n / experts⌉` stay. */
export function withinCapacity(chosen: Value, capacity: number): Value {
  const ahead = cumulativeSum(chosen, 0, { exclusive: true })
  const share = mul(reduceSum(chosen), capacity / (chosen.shape[1] as number))
  return mul(chosen, cast(greater(share, ahead), chosen.dtype))
}

/**
 * Switch routing (Fedus et al. 2021): `y = p_i E_i(x)` with the largest of `p = softmax(x W)`, W small at the start. Tokens past an
 * expert's capacity keep the plain result; in answers there is no capacity, so that one does not depend on other rows.
 */
export const switching = defineRouting<z.infer<typeof switchOptions>>({
  options: switchOptions,
  merges: false,
  create: ({ balance, capacity, jitter }, experts) => ({
    per: 'token',
    parameters: (width) => ({ weight: smallWeights(experts, width, 0.1) }),
    gates({ input, weights, noise }) {
      const seen = noise && jitter > 0 ? mul(input, add(mul(noise('uniform', input), jitter), 1)) : input
      const probabilities = softmax(gemm(seen, weights.weight!, null, { transposeB: true }))
      const chosen = largest(probabilities)
      const served = noise && capacity !== null ? withinCapacity(chosen, capacity) : chosen
      const loss = noise && balance > 0 ? mul(switchLoss(probabilities, chosen), balance) : null
      return { gates: mul(probabilities, served), loss }
    },
  }),
})
