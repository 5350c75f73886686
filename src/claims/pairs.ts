import { type Arm, type Arms, referencesOf } from '../compare/arms.ts'
import { UserError } from '../errors.ts'
import { grouped } from '../grouped.ts'
import type { Statement } from './claim-file.ts'

/** Arms that are set against others, one by one. */
export interface Pairing {
  readonly name: string
  readonly pairs: readonly (readonly [Arm, Arm])[]
}

type Chosen = Statement['arm']

const labels = (given: Chosen[string]): readonly string[] => [given].flat()

const fits = ({ point }: Arm, chosen: Chosen): boolean =>
  Object.entries(chosen).every(([axis, given]) => point[axis] !== undefined && labels(given).includes(point[axis]))

/** Every name that is chosen is one that some arm has. */
function check(chosen: Chosen, { arms }: Arms): void {
  for (const [axis, given] of Object.entries(chosen)) {
    const known = [...new Set(arms.flatMap(({ point }) => point[axis] ?? []))]
    const stray = labels(given).find((label) => !known.includes(label))
    if (stray !== undefined)
      throw new UserError(
        known.length === 0
          ? `criterion: the arms have no axis "${axis}".`
          : `criterion: no arm has the ${axis} "${stray}"; there are ${known.join(', ')}.`,
      )
  }
}

function othersOf(arm: Arm, { arm: own, against }: Statement, all: Arms): readonly Arm[] {
  if (against === null) return referencesOf(arm, all)
  const named = new Set([...Object.keys(own), ...Object.keys(against)])
  return all.arms.filter(
    (other) =>
      other.name !== arm.name &&
      fits(other, against) &&
      Object.entries(arm.point).every(([axis, label]) => named.has(axis) || (other.point[axis] ?? label) === label),
  )
}

/** The values that an arm has on some axes. */
const valuesOn = ({ point }: Arm, axes: readonly string[]): string => axes.map((axis) => point[axis] ?? '').join(', ')

/**
 * The pairs that a statement is about: each alone, or those together that agree on what it names.
 * @throws UserError for names that no arm has, and where nothing is to be compared
 */
export function pairings(statement: Statement, all: Arms): Pairing[] {
  const { arm: chosen, against, over, says } = statement
  for (const each of [chosen, against ?? {}]) check(each, all)
  const pairs = all.arms
    .filter((arm) => fits(arm, chosen))
    .flatMap((arm) => othersOf(arm, statement, all).map((other) => [arm, other] as const))
  if (pairs.length === 0)
    throw new UserError(`criterion: "${says}" sets no arm against another; see which the comparison has by --dry-run.`)
  if (over === 'each') return pairs.map((pair) => ({ name: `${pair[0].name} against ${pair[1].name}`, pairs: [pair] }))
  const [own, others] = [Object.keys(chosen), Object.keys(against ?? (all.plain ? { [all.plain.axis]: '' } : {}))]
  const groups = grouped(pairs, ([one, other]) => `${valuesOn(one, own)} against ${valuesOn(other, others)}`)
  return [...groups].map(([name, group]) => ({ name: `${name}, mean of ${group.length}`, pairs: group }))
}
