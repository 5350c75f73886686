import { z } from 'zod'
import { base, baseOptions } from './base.ts'
import type { RoutingDefinition } from './definition.ts'
import { hash, hashOptions } from './hash.ts'
import { prototypes, prototypesOptions } from './prototypes.ts'
import { replay, replayOptions } from './replay.ts'
import { switching, switchOptions } from './switch.ts'
import { topK, topKOptions } from './top-k.ts'
import { uniform, uniformOptions } from './uniform.ts'

const schemas = [uniformOptions, replayOptions, topKOptions, switchOptions, prototypesOptions, hashOptions, baseOptions] as const

/** The options of every routing, told apart by their name. */
export const routingOptions = z.discriminatedUnion('name', schemas)
export type RoutingOptions = z.infer<typeof routingOptions>
export type RoutingName = RoutingOptions['name']

const routings: { readonly [Name in RoutingName]: RoutingDefinition<Extract<RoutingOptions, { name: Name }>> } = {
  uniform,
  replay,
  'top-k': topK,
  switch: switching,
  prototypes,
  hash,
  base,
}
export const routingNames = Object.keys(routings) as RoutingName[]

/** The definition for some options. */
export const routingOf = ({ name }: RoutingOptions): RoutingDefinition<RoutingOptions> =>
  routings[name] as unknown as RoutingDefinition<RoutingOptions>
