import { keepLargest } from './pruning.ts'
import { electedMean } from './signs.ts'
import type { TensorRule } from './tensor-rule.ts'

/** The largest elements of each, and the mean of those with the elected sign (Yadav et al. 2023). */
export const ties: TensorRule = (tensors, weights, { density, sign }) =>
  electedMean(
    tensors.map((tensor) => keepLargest(tensor, density)),
    weights,
    sign,
  )
