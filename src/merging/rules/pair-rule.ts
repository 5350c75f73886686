import { UserError } from '../../errors.ts'
import { type Factors, parameterName } from '../../nn/method.ts'
import type { Site } from '../../nn/site.ts'
import { stream } from '../../random/draws.ts'
import { type Key, keyOf } from '../../random/key.ts'
import { loraBlend } from '../lora-blend.ts'
import type { Member, Rule, Settings } from '../rule.ts'
import type { Pair } from '../svd.ts'
import type { TensorSettings } from './tensor-rule.ts'

/** The factors of one module in one member. */
export interface Part extends Factors {
  readonly weight: number
}

/** What a pair rule is told at a module. */
export interface PairSettings extends Pick<Settings, 'rank'> {
  /** The module's name, for errors. */
  readonly module: string
  /** What chance decides differs between tensors. */
  readonly tensors: (tensor: 'A' | 'B' | 'increment') => TensorSettings
}

/** The members' factors of one module as one pair, scale 1. Throws UserError where they do not fit the rule. */
export type PairRule = (parts: readonly Part[], settings: PairSettings) => Pair

/** A member's factors at a site; null where it leaves the site alone. Throws UserError for a method without any. */
export function factorsAt({ method, state, folder }: Pick<Member, 'method' | 'state' | 'folder'>, site: Site): Factors | null {
  const roles = Object.keys(method.parameters(site))
  if (roles.length === 0) return null
  if (!method.factors || site.kind !== 'linear') {
    throw new UserError(
      `${folder} is ${method.name}, whose tensors are no factors of an increment; those of AdaLoRA and of LoRA without dora are.`,
    )
  }
  return method.factors(site, Object.fromEntries(roles.map((role) => [role, state.get(parameterName(site, role))!])))
}

function bernoulli(size: number, probability: number, key: Key): Uint8Array {
  const { uniform } = stream(key)
  return Uint8Array.from({ length: size }, () => (uniform() < probability ? 1 : 0))
}

/** A rule over adapters whose increments are products: the result is a LoRA at every module that one of the members adapts. */
export function overPairs(rule: PairRule, { summary, uses, equal }: Pick<Rule, 'summary' | 'uses'> & { equal?: boolean }): Rule {
  return {
    summary,
    uses,
    blend(members, { rank, density, sign, seed }) {
      const weightOf = ({ weight }: Member): number => (equal ? 1 / members.length : weight)
      const pairs = new Map<string, Pair>()
      for (const site of members[0]!.open.outline.sites) {
        const parts = members.flatMap((member) => {
          const factors = factorsAt(member, site)
          return factors ? [{ ...factors, weight: weightOf(member) }] : []
        })
        const tensors: PairSettings['tensors'] = (tensor) => ({
          density,
          sign,
          drawn: (member, size) => bernoulli(size, density, keyOf('dare', seed, site.name, tensor, member)),
        })
        if (parts.length > 0) pairs.set(site.name, rule(parts, { rank, module: site.name, tensors }))
      }
      return { ...loraBlend(pairs, members), shares: () => members.map(weightOf) }
    },
  }
}
