import { type RunConfig, runConfig } from '../config/run-config.ts'
import { expandVariables } from '../config/variables.ts'
import { didYouMean, UserError } from '../errors.ts'
import { MERGED, parseInference } from '../evaluate/inference.ts'
import { methodOptions } from '../methods/index.ts'
import { parseSettings } from '../settings/document.ts'
import { withSettings } from '../settings/plain.ts'
import type { Comparison } from './comparison-file.ts'
import { sharedSettingChanged } from './shared-settings.ts'
import { type Taken, takenIn, withTaken } from './taken-results.ts'

/** One of the things that are compared: a run, but for its seed. */
export interface Arm {
  readonly name: string
  /** Its values by axis, as they are called; axes that its method has no such setting for are left out. */
  readonly point: Readonly<Record<string, string>>
  /** With the first of the seeds. */
  readonly run: RunConfig
  /** Its settings as they were written, without what is left to defaults. */
  readonly written: Readonly<Record<string, unknown>>
  /** What answers once it is trained: the merged weights, or routes of a mixture. */
  readonly inference: string
  /** What it is compared by; null: what its run keeps its best evaluation by. */
  readonly metric: string | null
  /** What it takes from the trials of others; in `run` these settings are no paths yet. */
  readonly takes: readonly Taken[]
}

/** What a comparison runs, and with which seeds. */
export interface Arms {
  readonly arms: readonly Arm[]
  readonly seeds: readonly number[]
  /** The axis that tells plain arms from others, and their value there; null where nothing is compared. */
  readonly plain: { readonly axis: string; readonly value: string } | null
}

const SEED = 'train.seed'
/** The axis whose values are several settings each. */
const SETTINGS = 'settings'
interface Value {
  readonly label: string
  readonly settings: Readonly<Record<string, unknown>>
}

/** `lora`, or `lora r 4` where there are several. */
function labelOf(value: unknown, all: readonly unknown[]): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const nameOf = (one: unknown): unknown => (typeof one === 'object' ? (one as { name?: unknown } | null)?.name : one)
  const { name, ...rest } = value as Record<string, unknown>
  if (name === undefined) return JSON.stringify(value)
  if (all.filter((one) => nameOf(one) === name).length === 1) return String(name)
  return [name, ...Object.entries(rest).map(([key, inner]) => `${key} ${typeof inner === 'object' ? JSON.stringify(inner) : inner}`)].join(
    ' ',
  )
}

/** The values of an axis by their names. */
function valuesOf(axis: string, given: Comparison['axes'][string]): Value[] {
  const named = Array.isArray(given)
    ? given.map((value) => [labelOf(value, given), value] as const)
    : (Object.entries(given) as [string, unknown][])
  const twice = named.find(([label], i) => named.findIndex(([other]) => other === label) !== i)
  if (twice) throw new UserError(`axes.${axis}: "${twice[0]}" is there twice; give the values names, as { a: ..., b: ... }.`)
  return named.map(([label, value]) => {
    if (axis !== SETTINGS) return { label, settings: { [axis]: axis === 'method' && typeof value === 'string' ? { name: value } : value } }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { label, settings: value as Value['settings'] }
    throw new UserError(`axes.settings.${label}: expected settings, as { method.r: 4, train.epochs: 2 }.`)
  })
}

/** Whether the method of some settings has a setting; true where that cannot be told. */
function hasSetting(settings: Readonly<Record<string, unknown>>, key: string): boolean {
  const [group, option] = key.split('.')
  const name = (settings.method as { name?: unknown } | null)?.name
  const known = methodOptions.options.find(({ shape }) => ([...shape.name.values] as unknown[]).includes(name))
  return group !== 'method' || option === undefined || known === undefined || option in known.shape
}

const withValues = (base: Readonly<Record<string, unknown>>, values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  withSettings(
    structuredClone(base) as Record<string, unknown>,
    Object.entries(values).map(([key, value]) => `${key}=${JSON.stringify(value)}`),
    'axes',
  )

/** @throws UserError for a value of an axis that changes what all arms share, by whatever group of settings */
function checkShared(axis: string, values: readonly Value[], { base, locate }: Comparison): void {
  for (const { label, settings } of values) {
    const changed = sharedSettingChanged(withValues(base, settings), base)
    if (changed) throw new UserError(`${locate([axis])}: "${label}" changes ${changed.key}, which no axis can: ${changed.why}.`)
  }
}

interface Cell {
  readonly point: Readonly<Record<string, string>>
  readonly settings: Record<string, unknown>
}

/** Every cell with every value of an axis, where its method has such a setting; once without it where it has not. */
function crossed(cells: readonly Cell[], axis: string, values: readonly Value[]): Cell[] {
  const applies = (cell: Cell): boolean => axis === SETTINGS || hasSetting(cell.settings, axis)
  // Where no method has it, it is for the check of the settings to say so.
  const anywhere = cells.some(applies)
  return cells.flatMap((cell) =>
    anywhere && !applies(cell)
      ? [cell]
      : values.map(({ label, settings }) => ({
          point: { ...cell.point, [axis]: label },
          settings: withValues(cell.settings, settings),
        })),
  )
}

/** `LoRA, budget 0.1%`: methods by their name alone. */
const nameOf = (point: Cell['point']): string =>
  Object.entries(point)
    .map(([axis, label]) => (axis === 'method' || axis === SETTINGS ? label : `${axis.split('.').at(-1)} ${label}`))
    .join(', ') || 'run'

function seedsOf({ axes, base }: Comparison): number[] {
  const { [SEED]: given = [(base.train as { seed?: unknown } | undefined)?.seed ?? 1] } = axes
  const seeds = Object.values(given)
  const bad = seeds.find((seed) => !Number.isInteger(seed) || (seed as number) < 0)
  if (bad !== undefined) throw new UserError(`axes.${SEED}: ${JSON.stringify(bad)} is no seed; expected whole numbers of at least 0.`)
  if (new Set(seeds).size < seeds.length) throw new UserError(`axes.${SEED}: each seed must be there once.`)
  return seeds as number[]
}

function plainOf({ plain }: Comparison, axes: ReadonlyMap<string, readonly Value[]>): Arms['plain'] {
  const [first] = axes
  if (first === undefined) return null
  if (plain === null) return { axis: first[0], value: first[1][0]!.label }
  const axis = [...axes].find(([, values]) => values.some(({ label }) => label === plain))
  if (axis) return { axis: axis[0], value: plain }
  const known = [...axes.values()].flatMap((values) => values.map(({ label }) => label))
  throw new UserError(`plain: no axis has "${plain}"; there are ${known.join(', ')}.${didYouMean(plain, known)}`)
}

/**
 * The arms of a comparison: its axes multiplied out, seeds apart.
 * @throws UserError for settings that a run cannot have, with the place where they were written
 */
export function armsOf(comparison: Comparison): Arms {
  const { axes, base, locate, metric } = comparison
  const values = new Map(Object.entries(axes).flatMap(([axis, given]) => (axis === SEED ? [] : [[axis, valuesOf(axis, given)] as const])))
  for (const [axis, own] of values) checkShared(axis, own, comparison)
  const cells = [...values].reduce<Cell[]>(
    (all, [axis, own]) => crossed(all, axis, own),
    [{ point: {}, settings: { method: { name: 'lora' }, ...base } }],
  )
  const seeds = seedsOf(comparison)
  const arms = cells.map(({ point, settings }) => {
    const raw = withValues(settings, { [SEED]: seeds[0] })
    expandVariables(raw, process.env, locate)
    const { inference = MERGED, ...settingsOfRun } = raw
    parseInference(String(inference))
    const takes = takenIn(raw)
    const run = parseSettings(
      runConfig,
      withTaken(settingsOfRun, takes, (of) => `trial:${of}`),
      'run',
      locate,
    )
    return {
      ...{ name: nameOf(point), point, run: { ...run, out: null, published: null } },
      ...{ written: raw, inference: String(inference), metric, takes },
    }
  })
  const [first] = arms
  if (first!.run.train.seeds !== null) throw new UserError(`${locate(['train', 'seeds'])}: give seeds as axes.${SEED}.`)
  return { arms, seeds, plain: plainOf(comparison, values) }
}

/** The plain arms that an arm is compared with: those that agree with it on every other axis that both have; none for a plain arm. */
export function referencesOf(arm: Arm, { arms, plain }: Arms): Arm[] {
  if (plain === null || arm.point[plain.axis] === plain.value) return []
  const agrees = (other: Arm): boolean =>
    Object.entries(arm.point).every(([axis, value]) => axis === plain.axis || (other.point[axis] ?? value) === value)
  return arms.filter((other) => other.point[plain.axis] === plain.value && agrees(other))
}
