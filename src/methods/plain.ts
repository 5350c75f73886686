import { z } from 'zod'
import { adalora, adaloraOptions } from './adalora.ts'
import { bitfit, bitfitOptions } from './bitfit.ts'
import { bottleneck, bottleneckOptions } from './bottleneck.ts'
import type { MethodDefinition } from './definition.ts'
import { full } from './full.ts'
import { head } from './head.ts'
import { ia3, ia3Options } from './ia3.ts'
import { inPlaceOptions } from './in-place.ts'
import { lora, loraOptions } from './lora.ts'
import { prefix, prefixOptions } from './prefix.ts'
import { prompt, promptOptions } from './prompt.ts'
import { vera, veraOptions } from './vera.ts'

/** The options of every method but mixtures of them. */
export const plainSchemas = [
  loraOptions,
  adaloraOptions,
  ia3Options,
  veraOptions,
  bottleneckOptions,
  promptOptions,
  prefixOptions,
  bitfitOptions,
  inPlaceOptions('head'),
  inPlaceOptions('full'),
] as const
const plainSchema = z.discriminatedUnion('name', plainSchemas)
export type PlainOptions = z.infer<typeof plainSchema>

/** Every method but mixtures of them, by its name. */
export const plainMethods: { readonly [Name in PlainOptions['name']]: MethodDefinition<Extract<PlainOptions, { name: Name }>> } = {
  lora,
  adalora,
  ia3,
  vera,
  bottleneck,
  prompt,
  prefix,
  bitfit,
  head,
  full,
}

/** The definition for some options. */
export const plainDefinition = ({ name }: PlainOptions): MethodDefinition<PlainOptions> =>
  plainMethods[name] as MethodDefinition<PlainOptions>
