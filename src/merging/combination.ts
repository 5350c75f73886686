import type { Adapter } from '../formats/index.ts'
import type { Blend, Evidence, Member, Settings } from './rule.ts'
import { type RuleName, rules } from './rules/index.ts'
import { type HeadChoice, wholeTensors } from './whole-tensors.ts'

/** Several adapters as one, with what its rule decided. */
export interface Combination {
  readonly adapter: Adapter
  readonly told: Readonly<Record<string, unknown>>
}

/** The adapter that a blend makes of its members. */
export function adapterOf({ options, memory, added, shares }: Blend, members: readonly Member[], head: HeadChoice): Adapter {
  return { options, memory, state: new Map([...added, ...wholeTensors(members, shares, head)]), card: members[0]!.adapter.card }
}

/**
 * Combines adapters of one model by a rule.
 * @throws UserError where they do not fit the rule or each other
 */
export async function combination(
  members: readonly Member[],
  name: RuleName,
  head: HeadChoice,
  settings: Settings,
  evidence: Evidence,
): Promise<Combination> {
  const blend = await rules[name].blend(members, settings, evidence)
  return { adapter: adapterOf(blend, members, head), told: blend.told ?? {} }
}
