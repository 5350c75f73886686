import { lowRankIncrement } from '../../methods/low-rank.ts'
import { factorise, refactor } from '../svd.ts'
import { cat } from './cat.ts'
import type { PairRule, Part } from './pair-rule.ts'
import type { TensorRule } from './tensor-rule.ts'

const rankOf = (parts: readonly Part[], rank: number | null): number => rank ?? Math.max(...parts.map(({ a }) => a.shape[0]!))

/** `Σ w s B A`, cut to its largest singular values. */
export const svd: PairRule = (parts, settings) => refactor(cat(parts, settings), rankOf(parts, settings.rank))

/** A rule on the dense increments, whose result is cut to its largest singular values. */
export const bySvd =
  (rule: TensorRule): PairRule =>
  (parts, { rank, tensors }) => {
    const weights = parts.map(({ weight }) => weight)
    const data = rule(parts.map(lowRankIncrement), weights, tensors('increment'))
    return factorise({ shape: [parts[0]!.b.shape[0]!, parts[0]!.a.shape[1]!], data }, rankOf(parts, rank))
  }
