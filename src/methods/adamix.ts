import { z } from 'zod'
import { UserError } from '../errors.ts'
import { groupOf } from '../nn/method.ts'
import { replay } from '../routing/replay.ts'
import { uniform } from '../routing/uniform.ts'
import { adaloraOptions } from './adalora.ts'
import { bitfitOptions } from './bitfit.ts'
import { bottleneckOptions } from './bottleneck.ts'
import { budgetOption } from './budget-option.ts'
import { consistencyOf, consistencyOption } from './consistency-option.ts'
import { defineMethod, rateOf } from './definition.ts'
import { ia3Options } from './ia3.ts'
import { loraOptions } from './lora.ts'
import { mixture } from './mixture.ts'
import { plainDefinition } from './plain.ts'
import { prefixOptions } from './prefix.ts'
import { promptOptions } from './prompt.ts'
import { veraOptions } from './vera.ts'

const adapterPlace = bottleneckOptions.extend({ variant: bottleneckOptions.shape.variant.default('ffn-output') })

/** What can be mixed, with the place that AdaMix gives to bottlenecks. */
const mixable = [adapterPlace, loraOptions, adaloraOptions, ia3Options, veraOptions, promptOptions, prefixOptions, bitfitOptions] as const
/** The methods that a mixture wraps. */
export const mixableNames = mixable.map(({ shape }) => shape.name.value)

export const adamixOptions = z.strictObject({
  name: z.literal('adamix'),
  of: z.discriminatedUnion('name', mixable).default(adapterPlace.parse({ name: 'bottleneck' })),
  experts: z.number().int().positive('must be at least 1').default(4),
  /** Groups of roles with one expert for all routes; by default those that the paper shares, `up` or `B`, or the method's counterpart. */
  share: z.array(z.string().min(1)).nullable().default(null),
  consistency: consistencyOption.default(1),
  routing: z
    .discriminatedUnion('name', [
      z.strictObject({ name: z.literal('uniform') }),
      z.strictObject({ name: z.literal('replay'), file: z.string().min(1) }),
    ])
    .default({ name: 'uniform' }),
  /** Whether the roles of a site draw apart, as in the paper, or together. */
  draws: z.enum(['independent', 'coupled']).default('independent'),
  budget: budgetOption,
  adam: z.enum(['dense', 'lazy']).default('dense'),
})
export type AdaMixOptions = z.infer<typeof adamixOptions>

/** AdaMix (Wang et al. 2022): a mixture of one method's modules with stochastic routing, merged to one module. */
export const adamix = defineMethod<AdaMixOptions>({
  name: 'adamix',
  summary: 'a mixture of the modules of another method, averaged at the end (Wang et al. 2022)',
  options: adamixOptions,
  learningRate: ({ of }) => rateOf(plainDefinition(of), of),
  plain({ options: { of }, memory }) {
    const trained = { options: of, memory }
    return plainDefinition(of).plain?.(trained) ?? trained
  },
  resize(options, size) {
    const { resize } = plainDefinition(options.of)
    if (!resize) throw new UserError(`budget: ${options.of.name} has one size; leave the budget out.`)
    return { ...options, budget: null, of: resize(options.of, size) as AdaMixOptions['of'] }
  },
  create({ of, experts, share: named, consistency, routing, draws, adam }, setting) {
    const inner = plainDefinition(of).create(of, setting)
    const groups = [...new Set(setting.sites.flatMap((site) => Object.keys(inner.parameters(site))).map(groupOf))]
    const share = named ?? inner.shared ?? []
    for (const role of share) {
      if (!groups.includes(role)) throw new UserError(`share: "${role}" is no role of ${of.name}; it has ${groups.join(', ')}.`)
    }
    const router = routing.name === 'replay' ? replay(routing.file) : uniform
    const between = consistencyOf(consistency, setting.totalSteps)
    return mixture(inner, setting.sites, {
      experts,
      share,
      consistency: between,
      lazy: adam === 'lazy',
      router,
      coupled: draws === 'coupled',
    })
  },
})
