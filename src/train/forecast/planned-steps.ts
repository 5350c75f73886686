import type { RunConfig } from '../../config/run-config.ts'
import { mostPlaces } from '../logit-parts.ts'
import { addsUp } from '../step-graph.ts'
import { tokensAtOnce } from '../step-options.ts'
import { evenChunks } from './largest-sizes.ts'
import type { MemoryOf } from './memory-need.ts'
import { type PlannedStep, plannedStep } from './planned-step.ts'

/** Foretells the steps of a run under settings of its training; each graph is built once. */
export function plannedSteps({ open, method, besides, examples, length, rows }: MemoryOf): (train: RunConfig['train']) => PlannedStep {
  const known = new Map<string, PlannedStep>()
  return (train) => {
    const places = examples
      ? mostPlaces(open.subject, method, examples, train)
      : evenChunks(train, open.subject, { length, rows, passes: method.passes }).sizes.places!
    const { accumulate, dropout } = train
    const recompute = train.recompute === 'auto' ? 'none' : train.recompute
    const sums = addsUp({ accumulate, tokensAtOnce: tokensAtOnce(train) })
    const key = (caches: boolean): string => JSON.stringify([recompute, sums, places, dropout, caches])
    const caches = train.cachePrefix === true
    if (!known.has(key(caches))) {
      const step = plannedStep({ ...open, method, train, besides, places })
      known.set(key(caches), step)
      // Where there is no prefix to keep, the step is the one that keeps nothing.
      if (!step.prefix) known.set(key(false), step)
    }
    return known.get(key(caches))!
  }
}
