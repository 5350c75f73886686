import { linear } from './linear.ts'
import { dropAndRescale } from './pruning.ts'
import { electedMean } from './signs.ts'
import type { TensorRule } from './tensor-rule.ts'

/** The weighted sum of elements that chance left (Yu et al. 2024). */
export const dareLinear: TensorRule = (tensors, weights, settings) =>
  linear(
    tensors.map((tensor, k) => dropAndRescale(tensor, k, settings)),
    weights,
    settings,
  )

/** The same elements, with an elected sign. */
export const dareTies: TensorRule = (tensors, weights, settings) =>
  electedMean(
    tensors.map((tensor, k) => dropAndRescale(tensor, k, settings)),
    weights,
    settings.sign,
  )
