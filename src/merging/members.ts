import { UserError } from '../errors.ts'
import { type AdaptedOptions, openAdapted } from '../evaluate/adapted.ts'
import type { Model } from '../models/open.ts'
import type { Member } from './rule.ts'

/** Opens saved adapters of one model, each with its weight; equal weights that sum to 1 where none are given. */
export function openMembers(
  model: Model,
  folders: readonly string[],
  weights: readonly number[] | null,
  options: Omit<AdaptedOptions, 'adapter'>,
): Member[] {
  if (folders.length < 2) throw new UserError('A combination needs two adapters or more: give --adapter for each of them.')
  if (weights && weights.length !== folders.length)
    throw new UserError(`${weights.length} weight(s) for ${folders.length} adapters; give one for each, as --weights 0.5,0.5.`)
  return folders.map((folder, k): Member => {
    const adapted = openAdapted(model, { ...options, adapter: folder })
    return { ...adapted, adapter: adapted.adapter!, folder, weight: weights ? weights[k]! : 1 / folders.length }
  })
}
