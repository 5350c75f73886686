import { UserError } from '../errors.ts'
import type { Tensor } from '../nn/method.ts'
import { isHead } from '../nn/outline.ts'
import type { Blend, Member } from './rule.ts'
import { weightedMean } from './rules/mean.ts'

/** What becomes of the heads: their mean, or the first adapter's alone. */
export const headChoices = ['average', 'first'] as const
export type HeadChoice = (typeof headChoices)[number]

const inHead = ({ open }: Member, name: string): boolean => open.outline.base.has(name) && isHead(open.outline, name)
const inBody = ({ open }: Member, name: string): boolean => open.outline.base.has(name) && !isHead(open.outline, name)
const namesIn = (member: Member, part: typeof inHead): string[] => [...member.state.keys()].filter((name) => part(member, name))

/** Heads can be averaged where they answer the same question, in the same order of labels. */
function assertSameLabels(members: readonly Member[]): void {
  const answers = ({ open }: Member): string => (open.labels.length > 0 ? `${open.name} with ${open.labels.join(', ')}` : open.name)
  const odd = members.find((member) => answers(member) !== answers(members[0]!))
  if (odd === undefined) return
  throw new UserError(
    `Heads cannot be averaged: ${members[0]!.folder} is for ${answers(members[0]!)}, ${odd.folder} for ${answers(odd)}. ` +
      'Keep the head of the first adapter with --head first.',
  )
}

/**
 * What the members train of the model itself: biases and modules saved whole, which all must have, and heads, of those that have one.
 * @throws UserError where a member lacks a tensor, or heads cannot be averaged
 */
export function wholeTensors(members: readonly Member[], shares: Blend['shares'], head: HeadChoice): Map<string, Tensor> {
  const meanOf = (name: string, among: readonly Member[]): Tensor =>
    weightedMean(
      among.map(({ state }) => state.get(name)!),
      shares(name).filter((_, k) => among.includes(members[k]!)),
    )
  const result = new Map<string, Tensor>()
  for (const name of new Set(members.flatMap((member) => namesIn(member, inBody)))) {
    const [has, lacks] = [true, false].map((given) => members.find(({ state }) => state.has(name) === given))
    if (lacks) throw new UserError(`${has!.folder} trains "${name}", and ${lacks.folder} does not; give adapters that train the same.`)
    result.set(name, meanOf(name, members))
  }
  const [first] = members
  if (head === 'first') {
    for (const name of namesIn(first!, inHead)) result.set(name, first!.state.get(name)!)
    return result
  }
  const headed = members.filter((member) => namesIn(member, inHead).length > 0)
  assertSameLabels(headed)
  if (headed.some(({ weight }) => weight <= 0))
    throw new UserError('Heads cannot be averaged with a weight of 0 or less; keep the head of the first adapter with --head first.')
  for (const name of new Set(headed.flatMap((member) => namesIn(member, inHead)))) {
    result.set(
      name,
      meanOf(
        name,
        headed.filter(({ state }) => state.has(name)),
      ),
    )
  }
  return result
}
