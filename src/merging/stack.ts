import { UserError } from '../errors.ts'
import type { Adapted } from '../evaluate/adapted.ts'
import { methodFor } from '../evaluate/method-for.ts'
import type { Adapter } from '../formats/index.ts'
import { stacked, stackedRole } from '../methods/stacked.ts'
import { parameterName, type Tensor } from '../nn/method.ts'
import { isHead } from '../nn/outline.ts'

/** An adapter of a stack, with the folder that errors name. */
export interface Layer {
  readonly adapter: Adapter
  readonly folder: string
}

/**
 * Adapters of one model in turn at each place, the lowest first; `top` is the last of them as it answers, whose head the stack has.
 * @throws UserError for a method that acts elsewhere than at branches, and for one below that trains the model itself
 */
export function stackOf(layers: readonly Layer[], { open }: Adapted): Adapted {
  const { sites, base } = open.outline
  const top = layers.at(-1)!.adapter
  const methods = layers.map(({ adapter, folder }) => {
    const method = methodFor(open.subject, open.outline, adapter.options, null, adapter.memory)
    const elsewhere = sites.some((site) => site.kind !== 'branch' && Object.keys(method.parameters(site)).length > 0)
    if (!method.branch || elsewhere) throw new UserError(`${folder} is ${method.name}, which cannot be stacked; bottleneck adapters can.`)
    const lost = [...adapter.state.keys()].find((name) => base.has(name) && !isHead(open.outline, name) && !top.state.has(name))
    if (lost !== undefined) throw new UserError(`${folder} trains "${lost}" of the model itself, and only the last of a stack may.`)
    return method
  })
  const added = sites.flatMap((site) =>
    methods.flatMap((method, k) =>
      Object.keys(method.parameters(site)).map((role): [string, Tensor] => [
        parameterName(site, stackedRole(k, role)),
        layers[k]!.adapter.state.get(parameterName(site, role))!,
      ]),
    ),
  )
  const whole = [...top.state].filter(([name]) => base.has(name))
  return { open, adapter: top, method: stacked(methods), state: new Map([...added, ...whole]), reading: top.card.reading }
}
