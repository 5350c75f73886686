import type { RunConfig } from '../../config/run-config.ts'
import { prefixPlan } from '../prefix/plan.ts'
import { chunkPlan } from './chunk-plan.ts'
import { largestSizes } from './largest-sizes.ts'
import { type MemoryNeed, type MemoryOf, memoryNeed } from './memory-need.ts'
import { memoryPlan } from './memory-plan.ts'
import { plannedSteps } from './planned-steps.ts'

/** Settings of training with every choice made, what a run needs under them, and what was chosen, in words. */
export interface Settled {
  readonly train: RunConfig['train']
  readonly need: MemoryNeed
  readonly chosen: readonly string[]
}

/**
 * Makes the choices that settings of training leave to what is foretold: what is computed once for each row, what at a time, and how
 * updates stay within the limit of memory.
 * @throws UserError for a demand that cannot be met
 */
export function settled(run: MemoryOf, train: RunConfig['train']): Settled {
  const stepOf = plannedSteps(run)
  const { cachePrefix, chosen: cached } = prefixPlan(run, train, stepOf)
  const sizesOf = largestSizes(run)
  const chunks = chunkPlan(run, { ...train, cachePrefix }, stepOf, sizesOf)
  const { chosen: fitted, ...plan } = memoryPlan({ ...train, cachePrefix }, chunks, memoryNeed(run, stepOf, sizesOf))
  return { ...plan, chosen: [cached, fitted].filter((text) => text !== null) }
}
