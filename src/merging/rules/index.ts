import type { Rule } from '../rule.ts'
import { bySvd, svd } from './by-svd.ts'
import { cat } from './cat.ts'
import { dareLinear, dareTies } from './dare.ts'
import { factorwise } from './factorwise.ts'
import { fisher } from './fisher.ts'
import { linear } from './linear.ts'
import { magnitudePrune } from './magnitude-prune.ts'
import { mean } from './mean.ts'
import { overPairs } from './pair-rule.ts'
import { soup } from './soup.ts'
import { ties } from './ties.ts'

/** Every rule by its name. The first eleven are those of PEFT's `add_weighted_adapter`. */
export const rules = {
  linear: overPairs(factorwise(linear), { summary: 'A and B summed apart; ranks must agree', uses: ['weights'] }),
  cat: overPairs(cat, { summary: 'the exact weighted sum of the increments; ranks add up', uses: ['weights'] }),
  svd: overPairs(svd, { summary: 'the weighted sum of the increments, cut to a rank', uses: ['weights', 'rank'] }),
  ties: overPairs(factorwise(ties), { summary: 'A and B by TIES', uses: ['weights', 'density', 'sign'] }),
  'dare-linear': overPairs(factorwise(dareLinear), { summary: 'A and B by DARE, summed', uses: ['weights', 'density', 'seed'] }),
  'dare-ties': overPairs(factorwise(dareTies), { summary: 'A and B by DARE, then TIES', uses: ['weights', 'density', 'sign', 'seed'] }),
  'magnitude-prune': overPairs(factorwise(magnitudePrune), {
    summary: 'the largest of A and B, summed apart',
    uses: ['weights', 'density'],
  }),
  'ties-svd': overPairs(bySvd(ties), { summary: 'the increments by TIES, cut to a rank', uses: ['weights', 'rank', 'density', 'sign'] }),
  'dare-linear-svd': overPairs(bySvd(dareLinear), {
    summary: 'the increments by DARE, cut to a rank',
    uses: ['weights', 'rank', 'density', 'seed'],
  }),
  'dare-ties-svd': overPairs(bySvd(dareTies), {
    summary: 'the increments by DARE, then TIES, cut to a rank',
    uses: ['weights', 'rank', 'density', 'sign', 'seed'],
  }),
  'magnitude-prune-svd': overPairs(bySvd(magnitudePrune), {
    summary: 'the largest of the increments, cut to a rank',
    uses: ['weights', 'rank', 'density'],
  }),
  mean,
  soup,
  'delta-mean': overPairs(cat, { summary: 'the exact mean of the increments; ranks add up', uses: [], equal: true }),
  'delta-svd': overPairs(svd, { summary: 'the mean of the increments, cut to a rank', uses: ['rank'], equal: true }),
  fisher,
} as const satisfies Record<string, Rule>

export type RuleName = keyof typeof rules
export const ruleNames = Object.keys(rules) as RuleName[]
