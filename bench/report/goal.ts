import { type Spread, spreadText } from '../steps/numbers.ts'

/** The most that is wanted of a ratio; null where it is only told. */
export interface Goal {
  readonly name: string
  readonly most: number | null
}

/** The ratio, its goal, and whether it is met, as cells of a table. */
export function besideGoal(ratio: Spread | null, { most }: Goal): string[] {
  const goal = most === null ? '' : `<= ${most}`
  if (ratio === null) return ['not measured', goal, '']
  return [spreadText(ratio), goal, most === null ? '' : ratio.median <= most ? 'yes' : 'no']
}
