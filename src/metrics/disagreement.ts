import { mean } from './moments.ts'

type Distribution = readonly number[]

/** In nats; an impossible class adds nothing. */
const entropy = (p: Distribution): number => p.reduce((sum, value) => sum - (value > 0 ? value * Math.log(value) : 0), 0)

/** The mean of several distributions over the same classes. */
export const meanDistribution = (members: readonly Distribution[]): number[] =>
  members[0]!.map((_, c) => mean(members.map((member) => member[c]!)))

/** The entropy of the mean distribution, in nats, over `rows` [rows][members][classes]: all that is uncertain. */
export function predictiveEntropy(rows: readonly (readonly Distribution[])[]): number {
  return mean(rows.map((members) => entropy(meanDistribution(members))))
}

/**
 * What the members' disagreement adds to the mean of their entropies (BALD, Houlsby et al. 2011): the mutual information of the answer
 * and the member that gives it, in nats, over `rows` [rows][members][classes]. 0 for one member.
 */
export function mutualInformation(rows: readonly (readonly Distribution[])[]): number {
  return mean(rows.map((members) => Math.max(0, entropy(meanDistribution(members)) - mean(members.map(entropy)))))
}
