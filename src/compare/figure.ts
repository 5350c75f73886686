import { type Interval, interval } from '../metrics/bootstrap.ts'
import { deviation, mean } from '../metrics/moments.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { metricIn } from '../tasks/task.ts'
import type { Scores } from './judgement.ts'

/** What an arm scores over its seeds. */
export interface Figure {
  readonly bySeed: readonly number[]
  readonly mean: number
  /** Of a sample; null for one seed. */
  readonly deviation: number | null
  /** Over rows and seeds drawn again; null for metrics that are not scored row by row. */
  readonly interval: Interval | null
}

/** Seeds drawn with replacement for each draw of rows: what is paired must draw alike. */
const drawnSeeds = (seeds: number, resample: number): number[] => {
  const { below } = stream(keyOf('seeds drawn again', seeds, resample))
  return Array.from({ length: seeds }, () => below(seeds))
}

/** The mean score over seeds drawn again, of rows drawn again; null for metrics that no rows give. */
export function resampledMeans(scores: readonly Scores[], metric: string): number[] | null {
  const values = scores.map(({ resampled }) => resampled[metric])
  if (values.some((each) => each === undefined || each.some((value) => !Number.isFinite(value)))) return null
  return values[0]!.map((_, i) => mean(drawnSeeds(scores.length, i).map((seed) => values[seed]![i]!)))
}

/** A metric over the seeds, one model each. */
export function figureOf(scores: readonly Scores[], metric: string, level: number): Figure {
  const bySeed = scores.map(({ metrics }) => metricIn(metrics, metric))
  const again = resampledMeans(scores, metric)
  return {
    bySeed,
    mean: mean(bySeed),
    deviation: bySeed.length > 1 ? deviation(bySeed) : null,
    interval: again && interval(again, level),
  }
}
