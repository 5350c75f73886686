import { didYouMean, UserError } from '../errors.ts'
import { isObject } from '../is-object.ts'
import type { Arm } from './arms.ts'

/** A setting whose value is what another arm's trial of the same seed leaves, the folder of its adapter: `{ trial: AdaLoRA }`. */
export interface Taken {
  /** Where it stands in the run. */
  readonly path: readonly string[]
  /** A value of an axis: the arm that has it and agrees on all others. */
  readonly of: string
}

type Settings = Readonly<Record<string, unknown>>

/** The settings that are taken from other trials. */
export function takenIn(settings: Settings, path: readonly string[] = []): Taken[] {
  return Object.entries(settings).flatMap(([key, value]) => {
    if (!isObject(value)) return []
    const { trial, ...rest } = value
    if (typeof trial === 'string' && Object.keys(rest).length === 0) return [{ path: [...path, key], of: trial }]
    return takenIn(value, [...path, key])
  })
}

/** A group of settings with a value for each of the taken ones. */
export function withTaken<T extends object>(settings: T, taken: readonly Taken[], value: (of: string) => string): T {
  const result = structuredClone(settings)
  for (const { path, of } of taken) {
    const group = path.slice(0, -1).reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, result as never)
    group[path.at(-1)!] = value(of)
  }
  return result
}

/**
 * The arm whose trial an arm takes something of: it has the value that is named, and agrees on all other axes that both have.
 * @throws UserError where none or several do, and where that one takes from another itself
 */
export function sourceOf(arm: Arm, { of }: Taken, arms: readonly Arm[]): Arm {
  const fits = (other: Arm): boolean =>
    Object.entries(other.point).some(
      ([axis, label]) =>
        label === of && Object.entries(arm.point).every(([each, value]) => each === axis || (other.point[each] ?? value) === value),
    )
  const found = arms.filter((other) => other.name !== arm.name && fits(other))
  const [source] = found
  if (source === undefined) {
    const known = [...new Set(arms.flatMap(({ point }) => Object.values(point)))]
    throw new UserError(
      `${arm.name} takes a result of "${of}", and no other arm has that value; there are ${known.join(', ')}.${didYouMean(of, known)}`,
    )
  }
  if (found.length > 1)
    throw new UserError(
      `${arm.name} takes a result of "${of}", which is ${found.map(({ name }) => name).join(' and ')}; name one value that only one of them has.`,
    )
  if (source.takes.length > 0)
    throw new UserError(`${arm.name} takes a result of ${source.name}, which takes one of another; take that one.`)
  return source
}

/** The arm as it can be looked at before the others have run: with the method and adapter of those that it takes something of. */
export function standIn(arm: Arm, arms: readonly Arm[]): Arm {
  const [taken] = arm.takes
  if (taken === undefined) return arm
  const { method, adapter } = sourceOf(arm, taken, arms).run
  return { ...arm, run: { ...arm.run, method, adapter } }
}
