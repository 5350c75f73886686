import { linear } from './linear.ts'
import { keepLargest } from './pruning.ts'
import type { TensorRule } from './tensor-rule.ts'

/** The weighted sum of the largest elements of each. */
export const magnitudePrune: TensorRule = (tensors, weights, settings) =>
  linear(
    tensors.map((tensor) => keepLargest(tensor, settings.density)),
    weights,
    settings,
  )
