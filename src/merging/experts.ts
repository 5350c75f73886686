import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { type AdaptedOptions, openAdapted } from '../evaluate/adapted.ts'
import { openMixture } from '../evaluate/trained-mixture.ts'
import { EXPERTS_FILE, type Warn } from '../formats/index.ts'
import type { Model } from '../models/open.ts'
import type { Member } from './rule.ts'

/**
 * The experts of a mixture's run as adapters of the plain method, each with the run's head.
 * @throws UserError where the folder holds no finished run of a mixture
 */
export function openExperts(model: Model, run: string, options: Omit<AdaptedOptions, 'adapter'>, warn: Warn): Omit<Member, 'weight'>[] {
  const file = join(run, EXPERTS_FILE)
  if (!existsSync(file))
    throw new UserError(
      `${run} holds no experts to combine: there is no ${file}; give the folder of a finished adamix run whose routing merges them.`,
    )
  const adapted = openAdapted(model, { ...options, adapter: join(run, 'adapter') }, warn)
  const { experts, expert, route } = openMixture(join(run, 'adapter'), adapted)
  return Array.from({ length: experts }, (_, k) => {
    const deployed = route(() => k)
    const adapter = { ...adapted.adapter!, ...expert, state: deployed.state }
    return { ...adapted, adapter, ...deployed, folder: `expert ${k} of ${run}` }
  })
}
