import { UserError } from '../errors.ts'
import { type AdaptedOptions, openAdapted } from '../evaluate/adapted.ts'
import type { Warn } from '../formats/index.ts'
import type { Model } from '../models/open.ts'
import { openExperts } from './experts.ts'
import type { Member } from './rule.ts'

/** Where the members of a combination are: folders of adapters, or the run of a mixture, whose experts they are. */
export interface Sources {
  /** Folders of saved adapters, two or more. */
  readonly adapters?: readonly string[]
  /** The folder of an adamix run, in place of adapters. */
  readonly experts?: string | null
}

/**
 * Opens saved adapters of one model, each with its weight; equal weights that sum to 1 where none are given. `warn` is told what is odd
 * about one of them.
 * @throws UserError for fewer than two, or another number of weights
 */
export function openMembers(
  model: Model,
  { adapters = [], experts = null }: Sources,
  weights: readonly number[] | null,
  options: Omit<AdaptedOptions, 'adapter'>,
  warn: Warn,
): Member[] {
  if (experts !== null && adapters.length > 0) throw new UserError('Give either adapters or the run of a mixture, not both.')
  const members =
    experts === null
      ? adapters.map((folder) => {
          const adapted = openAdapted(model, { ...options, adapter: folder }, warn)
          return { ...adapted, adapter: adapted.adapter!, folder }
        })
      : openExperts(model, experts, options, warn)
  if (members.length < 2) throw new UserError('A combination needs two adapters or more: give --adapter for each of them.')
  if (weights && weights.length !== members.length)
    throw new UserError(`${weights.length} weight(s) for ${members.length} adapters; give one for each, as --weights 0.5,0.5.`)
  return members.map((member, k) => ({ ...member, weight: weights ? weights[k]! : 1 / members.length }))
}
