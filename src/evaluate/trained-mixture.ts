import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { readExperts } from '../formats/index.ts'
import { readFields } from '../json-file.ts'
import { methodOptions } from '../methods/index.ts'
import type { Choice, Deployed } from '../nn/method.ts'
import type { Adapted } from './adapted.ts'
import { methodFor } from './method-for.ts'

/** A mixture as a run left it, before merging. */
export interface TrainedMixture {
  readonly experts: number
  route(choose: (choice: Choice) => number): Deployed
}

/**
 * The mixture that an adapter was merged from: its run keeps the experts and the method's options beside the adapter's folder.
 * @throws UserError where they are not there, damaged, or of another model
 */
export function openMixture(folder: string, { open, adapter }: Adapted): TrainedMixture {
  if (adapter && 'routing' in adapter.options) {
    const { name } = adapter.options.routing
    throw new UserError(
      `${folder} keeps its experts, and their routing "${name}" chooses among them for each row: no other route was trained. Use the inference "merged", which answers by that.`,
    )
  }
  const [file, config] = ['experts.safetensors', 'config.json'].map((name) => join(folder, '..', name)) as [string, string]
  for (const needed of [file, config]) {
    if (existsSync(needed)) continue
    throw new UserError(
      `${folder} has no mixture to route through: there is no ${needed}. Give the folder "adapter" of an adamix run, or the inference "merged".`,
    )
  }
  const options = methodOptions.safeParse(readFields(config).method)
  if (!options.success) throw new UserError(`${config} holds no method that is known; give the folder "adapter" of an adamix run.`)
  const { subject, outline } = open
  const method = methodFor(subject, outline, options.data, null, adapter?.memory)
  const { experts } = method
  if (!experts) throw new UserError(`${config} is of a run of ${options.data.name}, which has no experts; use the inference "merged".`)
  const state = readExperts(file, method, { model: subject.model, outline })
  return { experts: experts.count, route: (choose) => experts.route(state, choose) }
}
