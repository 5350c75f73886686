import { z } from 'zod'
import { expandVariables } from '../config/variables.ts'
import { UserError } from '../errors.ts'
import { isObject } from '../is-object.ts'
import { parseSettings, readSettings } from '../settings/document.ts'
import { settingAt, valueAt, withSettings } from '../settings/plain.ts'

/** Values of a setting: a list, or by the names that they have in the report. */
const axis = z.union([z.array(z.unknown()).min(1), z.record(z.string().min(1), z.unknown())])
const matchable = z.enum(['weights', 'steps', 'flops'])

const fields = z.strictObject({
  /** A run file to start from. */
  from: z.string().min(1).nullable().default(null),
  /** Settings of a run that all trials share, on top of that file's. */
  run: z.record(z.string(), z.unknown()).default({}),
  /** Values by dotted setting; `settings` takes several settings at once, by the name of the arm. */
  axes: z.record(z.string().min(1), axis),
  /** The value of an axis that others are compared with; null: the first of the first axis. */
  plain: z.string().min(1).nullable().default(null),
  /** What every arm has as much of as the plain one. */
  match: z.union([matchable, z.array(matchable)]).default([]),
  /** Rates to try for each arm, in multiples of its own one, on training rows held out; null: its own one. */
  learningRates: z
    .strictObject({ times: z.array(z.number().positive()).min(2), heldOut: z.number().gt(0).lt(1).default(0.1) })
    .nullable()
    .default(null),
  /** What is compared, and runs that do not say keep their best evaluation by; null: what they keep it by. */
  metric: z.string().min(1).nullable().default(null),
  /** Whether the last evaluation is compared, which nothing was chosen by, or the best one. */
  by: z.enum(['last', 'best']).default('last'),
  resamples: z.number().int().min(100).default(1000),
  /** The share of resamples that an interval holds, and 1 less what a p-value must stay below. */
  level: z.number().gt(0.5).lt(1).default(0.95),
  /** Trials at a time; null: one for each core that a trial's threads leave. */
  workers: z.number().int().positive().nullable().default(null),
  /** Memory for all trials together; null: four fifths of what is free. */
  memory: z
    .string()
    .regex(/^\d+(\.\d+)?\s*[MG]B$/, 'write 800MB or 4GB')
    .nullable()
    .default(null),
  out: z.string().min(1).nullable().default(null),
  /** What a short form changes: settings of this file, written as they are here. */
  quick: z.record(z.string(), z.unknown()).nullable().default(null),
})
export type ComparisonFields = z.infer<typeof fields>

/** A comparison as a file describes it. */
export interface Comparison extends ComparisonFields {
  /** The settings of `from` with those of `run` on top, as they were written. */
  readonly base: Readonly<Record<string, unknown>>
  /** Where a setting of a run was written: in `run`, in an axis, or in the file of `from`. */
  readonly locate: (path: readonly PropertyKey[]) => string
}

/** What was written of a comparison, every default filled in, for records. */
export function writtenSettings({ locate: _, base: _b, ...settings }: Comparison): ComparisonFields {
  return settings
}

type Locate = Comparison['locate']
type Raw = Record<string, unknown>

/** Groups of settings are put together, everything else is replaced. */
function merged(base: Raw, over: Raw): Raw {
  const isGroup = (key: string): boolean => ['data', 'train'].includes(key) && [base, over].every((one) => typeof one[key] === 'object')
  return {
    ...base,
    ...Object.fromEntries(
      Object.entries(over).map(([key, value]) => [key, isGroup(key) ? { ...(base[key] as Raw), ...(value as Raw) } : value]),
    ),
  }
}

/** The settings of a run file as they stand there, and where. */
function rawRun(file: string): { raw: Raw; locate: Locate } {
  let locate: Locate = () => file
  const raw = readSettings(z.record(z.string(), z.unknown()), file, 'run file', [], (_, at) => {
    locate = at
  })
  return { raw, locate }
}

/** The axis that a setting of a run lies in. */
const axisOf = ({ axes }: ComparisonFields, path: readonly PropertyKey[]): string | undefined =>
  Object.keys(axes).find((key) => `${path.join('.')}.`.startsWith(`${key}.`))

function complete(given: ComparisonFields, locateHere: Locate): Comparison {
  const from = given.from === null ? null : rawRun(given.from)
  const has = (path: readonly PropertyKey[]): boolean => {
    const [group, key] = path as string[]
    const inner = given.run[group!]
    return group! in given.run && (key === undefined || typeof inner !== 'object' || inner === null || key in inner || from === null)
  }
  return {
    ...given,
    base: merged(from?.raw ?? {}, given.run),
    locate(path) {
      const axis = axisOf(given, path)
      if (axis !== undefined) return locateHere(['axes', axis])
      return has(path) || from === null ? locateHere(['run', ...path]) : from.locate(path)
    },
  }
}

/**
 * What the short form of settings changes.
 * @throws UserError where they have none
 */
export function shortFormOf({ quick }: Raw, locate: Locate): Raw {
  if (isObject(quick)) return quick
  throw new UserError(`${locate([])}: no short form is given; write what it changes as "quick", or leave --quick out.`)
}

/** Settings with those of their short form in place: runs and axes are put together, everything else is replaced. */
function shortened({ quick: _, ...whole }: Raw, { run = {}, axes = {}, ...rest }: Raw): Raw {
  return {
    ...whole,
    ...rest,
    run: merged((whole.run ?? {}) as Raw, run as Raw),
    axes: { ...(whole.axes as Raw), ...(axes as Raw) },
  }
}

const isWithin = (value: unknown, path: readonly PropertyKey[]): boolean => valueAt(value, path) !== undefined

/** How a comparison is read. */
export interface ComparisonReading {
  /** Its short form. */
  readonly quick?: boolean
  /** Changes on top, as `key=value`. */
  readonly settings?: readonly string[]
}

/**
 * A comparison out of plain data, with `--set` changes on top; `locate` tells where a setting was written.
 * @throws UserError for wrong or unknown keys, and where its short form is asked for and it has none
 */
export function comparisonOf(raw: Raw, locate: Locate, { quick = false, settings = [] }: ComparisonReading = {}): Comparison {
  const short = quick ? shortFormOf(raw, locate) : null
  const target = withSettings(short ? shortened(raw, short) : { ...raw }, settings)
  const written: Locate = (path) => {
    const set = settingAt(settings, path, isWithin(raw, path))
    if (set !== undefined) return `--set ${set}`
    return locate(isWithin(short, path) ? ['quick', ...path] : path)
  }
  expandVariables(target, process.env, written)
  return complete(parseSettings(fields, target, locate([]), written), written)
}

/** A comparison out of plain data that were not written in a file. */
export const parseComparison = (raw: unknown, where: string): Comparison => comparisonOf(raw as Raw, () => where)

/**
 * Reads a comparison, YAML or JSON. UserError with file and line for wrong or unknown keys; the settings of runs are looked at when the
 * arms are made.
 */
export function readComparison(file: string, reading: ComparisonReading = {}): Comparison {
  let locate: Locate = () => file
  const raw = readSettings(z.record(z.string(), z.unknown()), file, 'comparison', [], (_, at) => {
    locate = at
  })
  return comparisonOf(raw, locate, reading)
}
