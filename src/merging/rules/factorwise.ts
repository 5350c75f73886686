import { UserError } from '../../errors.ts'
import type { Tensor } from '../../nn/method.ts'
import type { PairRule, Part } from './pair-rule.ts'
import type { TensorRule } from './tensor-rule.ts'

/**
 * A rule on A and B apart, each with the root of weight times scale, whose sign goes to A. The product has cross terms
 * between members: it is no weighted sum of the increments. Source: PEFT 0.21, `add_weighted_adapter`.
 */
export const factorwise =
  (rule: TensorRule): PairRule =>
  (parts, { module, tensors }) => {
    const ranks = [...new Set(parts.map(({ a }) => a.shape[0]!))]
    if (ranks.length > 1)
      throw new UserError(
        `${module} has the ranks ${ranks.join(' and ')}, and this rule needs equal ones; use cat or a rule that ends in svd.`,
      )
    const roots = parts.map(({ weight, scale }) => Math.sqrt(Math.abs(weight * scale)))
    const combined = (of: (part: Part) => Tensor, weights: readonly number[], tensor: 'A' | 'B'): Tensor => ({
      shape: of(parts[0]!).shape,
      data: rule(
        parts.map((part) => of(part).data),
        weights,
        tensors(tensor),
      ),
    })
    const signed = roots.map((root, k) => (parts[k]!.weight < 0 ? -root : root))
    return { a: combined(({ a }) => a, signed, 'A'), b: combined(({ b }) => b, roots, 'B') }
  }
