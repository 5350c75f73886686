import { z } from 'zod'
import { UserError } from '../errors.ts'
import { replay } from '../routing/replay.ts'
import { uniform } from '../routing/uniform.ts'
import { bottleneck, bottleneckOptions } from './bottleneck.ts'
import { budgetOption } from './budget-option.ts'
import { defineMethod } from './definition.ts'
import { lora, loraOptions } from './lora.ts'
import { groupOf, mixture } from './mixture.ts'

const adapterPlace = bottleneckOptions.extend({ variant: bottleneckOptions.shape.variant.default('ffn-output') })

export const adamixOptions = z.strictObject({
  name: z.literal('adamix'),
  of: z.discriminatedUnion('name', [adapterPlace, loraOptions]).default(adapterPlace.parse({ name: 'bottleneck' })),
  experts: z.number().int().positive('must be at least 1').default(4),
  /** Roles with one expert for all routes; by default the last of the method's roles, as in the paper: `up`, or `B`. */
  share: z.array(z.string().min(1)).nullable().default(null),
  consistency: z.number().nonnegative().default(1),
  routing: z
    .discriminatedUnion('name', [
      z.strictObject({ name: z.literal('uniform') }),
      z.strictObject({ name: z.literal('replay'), file: z.string().min(1) }),
    ])
    .default({ name: 'uniform' }),
  budget: budgetOption,
  adam: z.enum(['dense', 'lazy']).default('dense'),
})
export type AdaMixOptions = z.infer<typeof adamixOptions>

/** AdaMix (Wang et al. 2022): a mixture of one method's modules with stochastic routing, merged to one module. */
export const adamix = defineMethod<AdaMixOptions>({
  name: 'adamix',
  summary: 'a mixture of adapters or LoRA modules, averaged at the end (Wang et al. 2022)',
  options: adamixOptions,
  learningRate: 1e-3,
  plain: ({ options: { of }, memory }) => ({ options: of, memory }),
  resize: (options, size) => ({
    ...options,
    budget: null,
    of: options.of.name === 'lora' ? lora.resize!(options.of, size) : bottleneck.resize!(options.of, size),
  }),
  create({ of, experts, share: named, consistency, routing, adam }, setting) {
    const inner = of.name === 'lora' ? lora.create(of, setting) : bottleneck.create(of, setting)
    if (inner.control) throw new UserError(`A mixture does not give out the ranks of ${of.name}; leave its "prune" out.`)
    const groups = [...new Set(setting.sites.flatMap((site) => Object.keys(inner.parameters(site))).map(groupOf))]
    const share = named ?? groups.slice(-1)
    for (const role of share) {
      if (!groups.includes(role)) throw new UserError(`share: "${role}" is no role of ${of.name}; it has ${groups.join(', ')}.`)
    }
    const router = routing.name === 'replay' ? replay(routing.file) : uniform
    return mixture(inner, setting.sites, { experts, share, consistency, lazy: adam === 'lazy', router })
  },
})
