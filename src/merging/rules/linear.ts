import type { TensorRule } from './tensor-rule.ts'

/** `Σ w x` (task arithmetic, Ilharco et al. 2023), summed in doubles. */
export const linear: TensorRule = (tensors, weights) =>
  tensors[0]!.map((_, i) => tensors.reduce((sum, tensor, k) => sum + weights[k]! * tensor[i]!, 0))
