import { z } from 'zod'
import { adalora, adaloraOptions } from './adalora.ts'
import { adamix, adamixOptions } from './adamix.ts'
import { bitfit } from './bitfit.ts'
import { bottleneck, bottleneckOptions } from './bottleneck.ts'
import type { MethodDefinition, Trained } from './definition.ts'
import { full } from './full.ts'
import { head } from './head.ts'
import { inPlaceOptions } from './in-place.ts'
import { lora, loraOptions } from './lora.ts'

/** The options of every method, told apart by their name. */
export const methodOptions = z.discriminatedUnion('name', [
  loraOptions,
  adaloraOptions,
  adamixOptions,
  bottleneckOptions,
  inPlaceOptions('bitfit'),
  inPlaceOptions('head'),
  inPlaceOptions('full'),
])
export type MethodOptions = z.infer<typeof methodOptions>
export type MethodName = MethodOptions['name']

/** Every method by its name. */
export const methods: { readonly [Name in MethodName]: MethodDefinition<Extract<MethodOptions, { name: Name }>> } = {
  lora,
  adalora,
  adamix,
  bottleneck,
  bitfit,
  head,
  full,
}

/** The options of methods that stand for themselves outside of training. */
export type PlainOptions = Exclude<MethodOptions, { name: 'adamix' }>

/** The options and memory of the method that a trained one leaves: a mixture leaves the method that it wraps. */
export const plainMethod = (trained: Trained<MethodOptions>): Trained<PlainOptions> =>
  (definitionOf(trained.options).plain?.(trained) ?? trained) as Trained<PlainOptions>

/** The definition for some options. */
export function definitionOf(options: MethodOptions): MethodDefinition<MethodOptions> {
  return methods[options.name] as MethodDefinition<MethodOptions>
}
