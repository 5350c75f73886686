import { z } from 'zod'
import { UserError } from '../errors.ts'
import { groupOf } from '../nn/method.ts'
import { routingOf, routingOptions } from '../routing/index.ts'
import { adaloraOptions } from './adalora.ts'
import { bitfitOptions } from './bitfit.ts'
import { bottleneckOptions } from './bottleneck.ts'
import { budgetOption } from './budget-option.ts'
import { consistencyOf, consistencyOption } from './consistency-option.ts'
import { defineMethod, rateOf, titleOf } from './definition.ts'
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
  of: z
    .discriminatedUnion('name', mixable)
    .refine((of) => !('budget' in of) || of.budget === null, { path: ['budget'], error: 'put the budget beside "of"' })
    .default(adapterPlace.parse({ name: 'bottleneck' }))
    .describe('the method that is mixed, with its settings'),
  experts: z.number().int().positive('must be at least 1').default(4).describe('modules in each place'),
  start: z.enum(['apart', 'same']).default('apart').describe("the experts' initial values: drawn for each, or the first one's for all"),
  share: z
    .array(z.string().min(1))
    .nullable()
    .default(null)
    .describe('groups of tensors with one expert for all; null: those that the paper shares, or their counterpart'),
  consistency: consistencyOption
    .nullable()
    .default(null)
    .describe('weight of the agreement between passes, or an object; null: 1 where experts are merged, else none'),
  routing: routingOptions.default(routingOptions.parse({ name: 'uniform' })).describe('how experts are chosen'),
  draws: z
    .enum(['independent', 'coupled'])
    .nullable()
    .default(null)
    .describe('each group of a module for itself, or all alike; null: apart where a pass draws'),
  budget: budgetOption,
  adam: z.enum(['dense', 'lazy']).default('dense').describe('what becomes of experts that nobody drew: moved by momentum, or left alone'),
})
export type AdaMixOptions = z.infer<typeof adamixOptions>

/** AdaMix (Wang et al. 2022): a mixture of one method's modules with routing, merged to one module where the routing draws at random. */
export const adamix = defineMethod<AdaMixOptions>({
  name: 'adamix',
  summary: 'a mixture of the modules of another method, averaged at the end (Wang et al. 2022)',
  options: adamixOptions,
  learningRate: ({ of }) => rateOf(plainDefinition(of), of),
  plain(trained) {
    const { of, routing } = trained.options
    const wrapped = { options: of, memory: trained.memory }
    const left = plainDefinition(of).plain?.(wrapped) ?? wrapped
    return routingOf(routing).merges ? left : { options: { ...trained.options, of: left.options }, memory: left.memory }
  },
  form: ({ of, routing }) => ({
    of: { name: of.name, ...plainDefinition(of).form?.(of) },
    routing: { name: routing.name, ...routingOf(routing).form?.(routing) },
  }),
  size: ({ of }) => `of ${titleOf(plainDefinition(of), of)}`,
  resize(options, size) {
    const { resize } = plainDefinition(options.of)
    if (!resize) throw new UserError(`budget: ${options.of.name} has one size; leave the budget out.`)
    return { ...options, budget: null, of: resize(options.of, size) as AdaMixOptions['of'] }
  },
  create({ of, experts, start, share: named, consistency, routing: chosen, draws, adam }, setting) {
    const inner = plainDefinition(of).create(of, setting)
    const groups = [...new Set(setting.sites.flatMap((site) => Object.keys(inner.parameters(site))).map(groupOf))]
    const share = named ?? inner.shared ?? []
    for (const role of share) {
      if (!groups.includes(role)) throw new UserError(`share: "${role}" is no role of ${of.name}; it has ${groups.join(', ')}.`)
    }
    if (adam === 'lazy' && inner.penalty)
      throw new UserError(
        `adam: lazy leaves experts alone that nobody drew, and ${of.name} with these settings adds a term to the loss that moves all of them; set that to 0, or take adam: dense.`,
      )
    const { merges, create } = routingOf(chosen)
    const routing = create(chosen, experts)
    if (draws === 'independent' && routing.per !== 'pass')
      throw new UserError(`draws: routing ${chosen.name} chooses all roles of a module together for each ${routing.per}; leave draws out.`)
    if (!merges && inner.deploy)
      throw new UserError(
        `routing: "${chosen.name}" keeps its experts as they were trained, and ${of.name} with these settings is saved in another form; take routing: { name: uniform }, which merges them.`,
      )
    const method = mixture(inner, setting.sites, {
      ...{ experts, start, share, routing, merges },
      consistency: consistencyOf(consistency ?? (merges ? 1 : 0), setting.totalSteps),
      lazy: adam === 'lazy',
      coupled: draws === 'coupled',
    })
    return merges ? method : { ...method, name: `adamix with routing ${chosen.name}` }
  },
})
