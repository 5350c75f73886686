import { z } from 'zod'
import { adamix, adamixOptions } from './adamix.ts'
import { type MethodDefinition, rateOf, type Trained, titleOf } from './definition.ts'
import { plainMethods, plainSchemas } from './plain.ts'

/** The options of every method, told apart by their name. */
export const methodOptions = z.discriminatedUnion('name', [...plainSchemas, adamixOptions])
export type MethodOptions = z.infer<typeof methodOptions>
export type MethodName = MethodOptions['name']

/** Every method by its name. */
export const methods: { readonly [Name in MethodName]: MethodDefinition<Extract<MethodOptions, { name: Name }>> } = {
  ...plainMethods,
  adamix,
}

export const methodNames = Object.keys(methods) as MethodName[]

/** The definition for some options. */
export function definitionOf(options: MethodOptions): MethodDefinition<MethodOptions> {
  return methods[options.name] as MethodDefinition<MethodOptions>
}

/** The learning rate where a run names none. */
export const defaultRate = (options: MethodOptions): number => rateOf(definitionOf(options), options)

/** A method with its size in words: `adamix of lora r 8`. */
export const methodTitle = (options: MethodOptions): string => titleOf(definitionOf(options), options)

/** The options and memory of the method that a trained one leaves: a mixture that is merged leaves the one that it wraps. */
export const plainMethod = (trained: Trained<MethodOptions>): Trained<MethodOptions> =>
  (definitionOf(trained.options).plain?.(trained) ?? trained) as Trained<MethodOptions>
