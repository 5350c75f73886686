import type { z } from 'zod'
import type { Routing } from './route.ts'

/** A way to choose among experts: its options as a schema, and how it is made for a number of experts. */
export interface RoutingDefinition<Options> {
  readonly options: z.ZodType<Options>
  /** Whether the mean of the experts stands for them outside of training; else they stay apart, and the routing answers with them. */
  readonly merges: boolean
  readonly create: (options: Options, experts: number) => Routing
  /** What of the options decides the function that given weights compute. */
  readonly form?: (options: Options) => Readonly<Record<string, unknown>>
}

/** Keeps the types of options and create together. */
export const defineRouting = <Options>(definition: RoutingDefinition<Options>): RoutingDefinition<Options> => definition
