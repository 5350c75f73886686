import { lowRankIncrement } from '../../methods/low-rank.ts'
import { factorise, largestRank, refactor } from '../svd.ts'
import { cat } from './cat.ts'
import type { PairRule } from './pair-rule.ts'
import type { TensorRule } from './tensor-rule.ts'

/** `Σ w s B A`, cut to its largest singular values. */
export const svd: PairRule = (parts, settings) => refactor(cat(parts, settings), settings.rank ?? largestRank(parts))

/** A rule on the dense increments, whose result is cut to its largest singular values. */
export const bySvd =
  (rule: TensorRule): PairRule =>
  (parts, { rank, tensors }) => {
    const weights = parts.map(({ weight }) => weight)
    const data = rule(parts.map(lowRankIncrement), weights, tensors('increment'))
    return factorise({ shape: [parts[0]!.b.shape[0]!, parts[0]!.a.shape[1]!], data }, rank ?? largestRank(parts))
  }
