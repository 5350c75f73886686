import type { ArmResults } from '../summary.ts'
import type { Drawing } from './drawing.ts'
import { heatMap } from './heat-map.ts'

/** The ranks of every arm that gives them out, of its first seed. */
export function rankMaps(all: readonly ArmResults[]): Drawing[] {
  return all.flatMap(({ arm, results: [first] }) =>
    first?.ranks ? [heatMap(`${arm.name}, seed ${first.trial.seed}: ranks at the end`, first.ranks)] : [],
  )
}
