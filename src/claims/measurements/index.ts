import { z } from 'zod'
import { expandVariables } from '../../config/variables.ts'
import { parseSettings } from '../../settings/document.ts'
import type { Amount } from '../amount.ts'
import { adapters } from './adapters.ts'
import { inference } from './inference.ts'

/** Numbers that were measured. */
export interface Measured {
  /** What a claim may be judged by, by name. */
  readonly amounts: Readonly<Record<string, Amount>>
  /** All of it, the first row the header. */
  readonly rows: readonly (readonly string[])[]
  /** What the numbers are of. */
  readonly footing: string
}

/** A kind of measurement. */
export interface Measurement<Options> {
  readonly options: z.ZodType<Options>
  /** What the amounts are called. */
  readonly names: readonly string[]
  /** Working files go to `out`. Throws UserError for what does not fit. */
  readonly measure: (options: Options, out: string) => Promise<Measured>
}

const bound = <Options extends object>({ options, names, measure }: Measurement<Options>) => ({
  names,
  parse: (raw: unknown, locate: (path: readonly PropertyKey[]) => string) => {
    const written = parseSettings(options, raw, locate([]), locate)
    const expanded = structuredClone(written)
    expandVariables(expanded as Record<string, unknown>, process.env, locate)
    return { options: written as unknown, measure: (out: string) => measure(expanded, out) }
  },
})

/** Every kind of measurement by its name. */
const measurements = { inference: bound(inference), adapters: bound(adapters) } as const

const named = z.looseObject({ kind: z.enum(Object.keys(measurements) as [keyof typeof measurements]) })

/** A measurement that can be made. */
export interface Measuring {
  /** As they were written, variables of paths included. */
  readonly options: unknown
  readonly names: readonly string[]
  readonly measure: (out: string) => Promise<Measured>
}

/** @throws UserError for settings that the kind does not have */
export function measuring(raw: Record<string, unknown>, locate: (path: readonly PropertyKey[]) => string): Measuring {
  const { kind, ...rest } = parseSettings(named, raw, locate([]), locate)
  const { names, parse } = measurements[kind]
  return { names, ...parse(rest, locate) }
}
