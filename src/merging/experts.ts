import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { type AdaptedOptions, openAdapted } from '../evaluate/adapted.ts'
import { methodFor } from '../evaluate/weight-counts.ts'
import { loadExperts } from '../formats/index.ts'
import { readFields } from '../formats/json-file.ts'
import { methodOptions } from '../methods/index.ts'
import type { Model } from '../models/open.ts'
import { parameterName, type Tensor } from '../nn/method.ts'
import { elementCount } from '../nn/tensor.ts'
import type { Member } from './rule.ts'

/** The part of a stack that an expert uses: its own, or the one that all share. */
function partOf({ shape: [experts, ...shape], data }: Tensor, expert: number): Tensor {
  const [size, k] = [elementCount(shape), experts === 1 ? 0 : expert]
  return { shape, data: data.slice(k * size, (k + 1) * size) }
}

/**
 * The experts of a mixture's run as adapters of the plain method, each with the run's head.
 * @throws UserError where the folder holds no finished run of a mixture
 */
export function openExperts(model: Model, run: string, options: Omit<AdaptedOptions, 'adapter'>): Omit<Member, 'weight'>[] {
  const [file, config] = [join(run, 'experts.safetensors'), join(run, 'config.json')]
  const absent = [file, config].find((path) => !existsSync(path))
  if (absent) throw new UserError(`${run} holds no mixture: there is no ${absent}; give the folder of a finished adamix run.`)
  const adapted = openAdapted(model, { ...options, adapter: join(run, 'adapter') })
  const mixed = methodOptions.safeParse(readFields(config).method)
  if (!mixed.success) throw new UserError(`${config} holds no method that is known; give the folder of a finished adamix run.`)
  const { subject, outline } = adapted.open
  const method = methodFor(subject, outline, mixed.data, null, adapted.adapter!.memory)
  const whole = [...outline.base.values()].filter(({ name }) => adapted.state.has(name))
  const stacks = outline.sites.flatMap((site) =>
    Object.entries(method.parameters(site)).map(([role, { shape }]) => ({ name: parameterName(site, role), shape })),
  )
  const held = loadExperts(file, new Map([...whole, ...stacks].map((tensor) => [tensor.name, tensor])))
  const stacked = new Set(stacks.map(({ name }) => name))
  const experts = Math.max(...stacks.map(({ shape }) => shape[0]!))
  return Array.from({ length: experts }, (_, k) => {
    const state = new Map<string, Tensor>([...held].map(([name, tensor]) => [name, stacked.has(name) ? partOf(tensor, k) : tensor]))
    const other = [...adapted.state].find(([name, { shape }]) => state.get(name)?.shape.join() !== shape.join())
    if (other)
      throw new UserError(`${file} keeps its experts in another form than the adapter that they merge into; only that one can be combined.`)
    return { ...adapted, adapter: { ...adapted.adapter!, state }, state, folder: `expert ${k} of ${run}` }
  })
}
