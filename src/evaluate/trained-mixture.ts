import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { EXPERTS_FILE, loadExperts } from '../formats/index.ts'
import type { Trained } from '../methods/definition.ts'
import { type MethodOptions, plainMethod } from '../methods/index.ts'
import type { Choice, Deployed } from '../nn/method.ts'
import type { Adapted } from './adapted.ts'

/** A mixture as a run left it, before merging. */
export interface TrainedMixture {
  readonly experts: number
  /** The method that each of them is of. */
  readonly expert: Trained<MethodOptions>
  route(choose: (choice: Choice) => number): Deployed
}

/**
 * The mixture that an adapter was merged from: its run keeps the experts beside the adapter's folder.
 * @throws UserError where they are not there, damaged, or of another model
 */
export function openMixture(folder: string, { open, adapter }: Adapted): TrainedMixture {
  if (adapter && 'routing' in adapter.options) {
    const { name } = adapter.options.routing
    throw new UserError(
      `${folder} keeps its experts, and their routing "${name}" chooses among them for each row: no other route was trained. Use the inference "merged", which answers by that.`,
    )
  }
  const file = join(folder, '..', EXPERTS_FILE)
  if (!existsSync(file))
    throw new UserError(
      `${folder} has no mixture to route through: there is no ${file}. Give the folder "adapter" of an adamix run, or the inference "merged".`,
    )
  const { subject, outline } = open
  const { experts, state, ...trained } = loadExperts(file, { model: subject.model, outline })
  return { experts: experts.count, expert: plainMethod(trained), route: (choose) => experts.route(state, choose) }
}
