import { basename } from 'node:path'
import { z } from 'zod'
import { type Comparison, comparisonOf, shortFormOf } from '../compare/comparison-file.ts'
import { UserError } from '../errors.ts'
import { parseSettings, readSettings } from '../settings/document.ts'
import { withSettings } from '../settings/plain.ts'
import { type Measuring, measuring } from './measurements/index.ts'

const bounds = { atLeast: z.number().optional(), atMost: z.number().optional() }
const hasOneBound = ({ atLeast, atMost }: { atLeast?: number | undefined; atMost?: number | undefined }): boolean =>
  (atLeast === undefined) !== (atMost === undefined)
const oneBound = 'expected a bound, atLeast or atMost'

/** Arms by the names of their values, by axis; those that have one of them on each of these axes. */
const chosen = z.record(z.string().min(1), z.union([z.string(), z.array(z.string()).min(1)]))

const statement = z
  .strictObject({
    /** In words. */
    says: z.string().min(1),
    /** The quantity: by default how much better the arm scores. */
    of: z.string().min(1).default('score'),
    arm: chosen,
    /** What it is set against: the arms that agree with it on every axis that neither names; null: the plain ones. */
    against: chosen.nullable().default(null),
    /** Whether the bound holds for each pair of arms, or for the mean over all that these names stand for. */
    over: z.enum(['each', 'mean']).default('each'),
    ...bounds,
  })
  .refine(hasOneBound, oneBound)
/** What must be true of a comparison for a claim to hold. */
export type Statement = z.infer<typeof statement>

const measured = z.strictObject({ says: z.string().min(1), of: z.string().min(1), ...bounds }).refine(hasOneBound, oneBound)
/** What must be true of a measurement. */
export type MeasuredStatement = z.infer<typeof measured>

const raw = z.record(z.string(), z.unknown())
const fields = z.strictObject({
  claim: z.string().min(1),
  paper: z.string().min(1),
  /** Where in the paper it stands. */
  source: z.string().min(1),
  /** What the paper has for it, as printed. */
  figures: z.array(z.string().min(1)).min(1),
  /** What is known against the figures, and how the form here differs. */
  notes: z.string().min(1).nullable().default(null),
  /** A comparison, as `adatune compare` takes it. */
  compare: raw.optional(),
  /** What is measured in place of that. */
  measure: raw.optional(),
  criterion: z.array(raw).min(1),
})

/** What a paper says. */
export type Told = Readonly<Pick<z.infer<typeof fields>, 'claim' | 'paper' | 'source' | 'figures' | 'notes'>>

/** A claim of a paper, and how it is tried here. */
export type Claim = Readonly<
  Told & {
    name: string
    /** The short form, or the whole one. */
    quick: boolean
  } & (
      | { kind: 'comparison'; comparison: Comparison; criterion: readonly Statement[] }
      | { kind: 'measurement'; measuring: Measuring; criterion: readonly MeasuredStatement[] }
    )
>

export interface ClaimReading {
  readonly quick?: boolean
  /** Changes of the comparison or the measurement, as `key=value`. */
  readonly settings?: readonly string[]
  /** A model in place of the file's. */
  readonly model?: string | undefined
}

const statementsOf = <T>(schema: z.ZodType<T>, given: readonly unknown[], locate: (path: readonly PropertyKey[]) => string): T[] =>
  given.map((each, i) => parseSettings(schema, each, '', (path) => locate(['criterion', i, ...path])))

/** What a claim's file says of the paper; nothing of how it is tried is looked at. */
export const readTold = (file: string): Told => readSettings(fields, file, 'claim')

/**
 * Reads a claim in its whole or short form.
 * @throws UserError with file and line for wrong or unknown keys, where it says neither what is compared nor what is measured, and where its
 * short form is asked for and it has none
 */
export function readClaim(file: string, { quick = false, settings = [], model }: ClaimReading = {}): Claim {
  let locate: (path: readonly PropertyKey[]) => string = () => file
  const { compare, measure, criterion, ...told } = readSettings(fields, file, 'claim', [], (_, at) => {
    locate = at
  })
  if ((compare === undefined) === (measure === undefined))
    throw new UserError(`${file}: expected either "compare", a comparison, or "measure", what is measured.`)
  const common = { ...told, name: basename(file).replace(/\.[^.]+$/, ''), quick }
  const within = (part: string) => (path: readonly PropertyKey[]) => locate([part, ...path])
  if (compare !== undefined) {
    const changed = [...(model === undefined ? [] : [`run.model=${JSON.stringify(model)}`]), ...settings]
    const comparison = comparisonOf(compare, within('compare'), { quick, settings: changed })
    return { ...common, kind: 'comparison', comparison, criterion: statementsOf(statement, criterion, locate) }
  }
  const { quick: _, ...whole } = measure!
  const short = quick ? shortFormOf(measure!, within('measure')) : {}
  const changed = [...(model === undefined ? [] : [`model=${JSON.stringify(model)}`]), ...settings]
  const target = withSettings({ ...whole, ...short }, changed)
  return {
    ...common,
    kind: 'measurement',
    measuring: measuring(target, within('measure')),
    criterion: statementsOf(measured, criterion, locate),
  }
}
