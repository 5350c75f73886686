import { UserError } from '../errors.ts'
import { type LoraOptions, loraOptions } from '../methods/lora.ts'
import type { Tensor } from '../nn/method.ts'
import type { Blend, Member } from './rule.ts'
import { largestRank, type Pair } from './svd.ts'

const biasOf = ({ adapter: { options } }: Pick<Member, 'adapter'>): LoraOptions['bias'] => ('bias' in options ? options.bias : 'none')

/** A LoRA of at least one module from its factors, scale 1: alpha is the rank, and modules of another rank than the largest have both by their name. */
export function loraOf(pairs: ReadonlyMap<string, Pair>, bias: LoraOptions['bias']): Pick<Blend, 'options' | 'memory' | 'added'> {
  const ranks = [...pairs].map(([name, { a }]) => [name, a.shape[0]!] as const)
  const r = largestRank(pairs.values())
  const pattern = Object.fromEntries(ranks.filter(([, rank]) => rank !== r))
  const options = { name: 'lora', r, alpha: r, targets: [...pairs.keys()], bias, rankPattern: pattern, alphaPattern: pattern }
  const added = [...pairs].flatMap(([name, { a, b }]): [string, Tensor][] => [
    [`${name}.A.weight`, a],
    [`${name}.B.weight`, b],
  ])
  return { options: loraOptions.parse(options), memory: null, added: new Map(added) }
}

/**
 * A LoRA from the factors of each module in its members, whose choice of biases is kept.
 * @throws UserError where nothing is left to adapt, or members train other biases
 */
export function loraBlend(pairs: ReadonlyMap<string, Pair>, members: readonly Pick<Member, 'adapter' | 'folder'>[]): Omit<Blend, 'shares'> {
  const [first, ...others] = members
  const odd = others.find((member) => biasOf(member) !== biasOf(first!))
  if (odd) throw new UserError(`${first!.folder} has bias ${biasOf(first!)} and ${odd.folder} ${biasOf(odd)}; give adapters with the same.`)
  if (pairs.size === 0) throw new UserError(`${first!.folder} has no rank left in any module: it adapts nothing.`)
  return loraOf(pairs, biasOf(first!))
}
