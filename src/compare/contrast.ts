import { mean } from '../metrics/moments.ts'
import { metricIn } from '../tasks/task.ts'
import { resampledMeans } from './figure.ts'
import type { Scores } from './judgement.ts'

/** How far some arms score above others, each given by the scores of its seeds. */
export interface Contrast {
  /** The mean over the first arms and their seeds, less that over the others. */
  readonly difference: number
  /** The same on rows and seeds drawn again, the draws alike for all; null where rows are not scored one by one. */
  readonly draws: readonly number[] | null
}

const meanOf = (arms: readonly (readonly Scores[])[], metric: string): number =>
  mean(arms.map((seeds) => mean(seeds.map(({ metrics }) => metricIn(metrics, metric)))))

/** Means over arms, draw by draw; null where one of them has none. */
function drawnMeans(arms: readonly (readonly Scores[])[], metric: string): number[] | null {
  const all = arms.map((seeds) => resampledMeans(seeds, metric))
  const [first] = all
  return first && all.every((each) => each !== null) ? first.map((_, i) => mean(all.map((each) => each![i]!))) : null
}

export function contrast(own: readonly (readonly Scores[])[], others: readonly (readonly Scores[])[], metric: string): Contrast {
  const [a, b] = [drawnMeans(own, metric), drawnMeans(others, metric)]
  return { difference: meanOf(own, metric) - meanOf(others, metric), draws: a && b && a.map((value, i) => value - b[i]!) }
}
