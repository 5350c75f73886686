import { UserError } from '../../errors.ts'
import { definitionOf } from '../../methods/index.ts'
import type { Tensor } from '../../nn/method.ts'
import type { Blend, Member, Rule, Share } from '../rule.ts'

/** `Σ share x / Σ share`, element by element; sums in doubles. */
export function weightedMean(tensors: readonly Tensor[], shares: readonly Share[]): Tensor {
  const shareOf = (k: number, i: number): number => {
    const share = shares[k]!
    return typeof share === 'number' ? share : share[i]!
  }
  const data = tensors[0]!.data.map((_, i) => {
    let [sum, total] = [0, 0]
    for (const [k, tensor] of tensors.entries()) {
      const share = shareOf(k, i)
      sum += share * tensor.data[i]!
      total += share
    }
    return sum / total
  })
  return { shape: tensors[0]!.shape, data }
}

/** Tensors can be averaged one by one only where they mean the same in all members. */
function assertAlike(members: readonly Member[]): void {
  const [first, ...others] = members
  const formOf = ({ adapter: { options } }: Member): string => JSON.stringify(definitionOf(options).form?.(options) ?? {})
  const shapesOf = ({ adapter, open }: Member): string[] =>
    [...adapter.state].flatMap(([name, { shape }]) => (open.outline.base.has(name) ? [] : [`${name} [${shape}]`]))
  for (const other of others) {
    const both = `${first!.folder} and ${other.folder}`
    const hint = 'average adapters of runs with the same method settings, or use cat or svd, where the methods allow it'
    if (first!.adapter.options.name !== other.adapter.options.name) {
      throw new UserError(`${first!.folder} is ${first!.adapter.options.name} and ${other.folder} ${other.adapter.options.name}; ${hint}.`)
    }
    if (formOf(first!) !== formOf(other)) throw new UserError(`${both} were made with ${formOf(first!)} and ${formOf(other)}; ${hint}.`)
    const [mine, theirs] = [shapesOf(first!), shapesOf(other)]
    const odd = mine.find((tensor) => !theirs.includes(tensor)) ?? theirs.find((tensor) => !mine.includes(tensor))
    if (odd !== undefined) throw new UserError(`Only one of ${both} has the tensor ${odd}; ${hint}.`)
    if (JSON.stringify(first!.adapter.memory) !== JSON.stringify(other.adapter.memory))
      throw new UserError(`${both} have kept other singular values; ${hint}.`)
  }
}

/** The members' own parameters, averaged by `shares`. Throws UserError where they are not alike. */
export function averaged(members: readonly Member[], shares: Blend['shares']): Blend {
  assertAlike(members)
  const [{ adapter, open }] = members as [Member, ...Member[]]
  const names = [...adapter.state.keys()].filter((name) => !open.outline.base.has(name))
  const added = names.map((name): [string, Tensor] => [
    name,
    weightedMean(
      members.map((member) => member.adapter.state.get(name)!),
      shares(name),
    ),
  ])
  return { options: adapter.options, memory: adapter.memory, added: new Map(added), shares }
}

/** The mean of the tensors, one by one (a uniform soup, Wortsman et al. 2022). */
export const mean: Rule = {
  summary: 'the weighted mean of every tensor; any method',
  uses: ['weights'],
  blend(members) {
    const weights = members.map(({ weight }) => weight)
    if (Math.abs(weights.reduce((sum, weight) => sum + weight, 0)) < 1e-9)
      throw new UserError(`The weights ${weights.join(', ')} sum to 0, and a mean divides by their sum; use cat for differences.`)
    return averaged(members, () => weights)
  },
}
