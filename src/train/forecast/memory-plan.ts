import type { RunConfig } from '../../config/run-config.ts'
import { UserError } from '../../errors.ts'
import { type MemoryNeed, totalBytes } from './memory-need.ts'

type Train = RunConfig['train']

const units: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 }

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`

/** `2GB` in bytes. */
export const limitBytes = (limit: string): number => Number.parseFloat(limit) * units[limit.slice(-2)]!

/** Settings of training that stay within a limit, and what was chosen for it. */
export interface MemoryPlan {
  readonly train: Train
  readonly need: MemoryNeed
  /** Null where nothing had to be chosen. */
  readonly chosen: string | null
}

/** Fewer rows make the engine's products slow before they make results small. */
const FEW_ROWS = 4

/** Ways to make the same updates, the fastest first: whole batches, smaller micro-batches, layers made again, then both. */
function* ways(train: Train): Generator<Train> {
  const divisors = Array.from({ length: train.batchSize }, (_, i) => i + 1).filter((parts) => train.batchSize % parts === 0)
  const settled = train.recompute === 'auto' ? (['none', 'every-1'] as const) : [train.recompute]
  const split = (recompute: Train['recompute'], parts: number): Train => ({
    ...train,
    recompute,
    batchSize: train.batchSize / parts,
    accumulate: train.accumulate * parts,
  })
  for (const parts of divisors) if (parts === 1 || train.batchSize / parts >= FEW_ROWS) yield split(settled[0]!, parts)
  for (const parts of divisors) yield split(settled.at(-1)!, parts)
}

/**
 * Settles how updates are made: all at once without a limit, else in the fastest way that is foretold to stay within it, with micro-batches
 * that add up to the same updates and layers that are made again.
 * @throws UserError where nothing stays within the limit, with the least that would
 */
export function memoryPlan(train: Train, needOf: (train: Train) => MemoryNeed): MemoryPlan {
  const { memoryLimit, batchSize } = train
  const unlimited: Train = { ...train, memoryLimit: null, recompute: train.recompute === 'auto' ? 'none' : train.recompute }
  if (memoryLimit === null) return { train: unlimited, need: needOf(unlimited), chosen: null }
  const most = limitBytes(memoryLimit)
  let least = Infinity
  for (const way of ways(train)) {
    const settled = { ...way, memoryLimit: null }
    const need = needOf(settled)
    const total = totalBytes(need)
    least = Math.min(least, total)
    if (total > most) continue
    const parts = batchSize / way.batchSize
    const rows = way.batchSize === 1 ? '1 row' : `${way.batchSize} rows`
    const made = [
      ...(parts > 1 ? [`${way.accumulate} micro-batches of ${rows} an update`] : []),
      ...(way.recompute === unlimited.recompute ? [] : ['layers made again in the backward pass']),
    ]
    return {
      train: settled,
      need,
      chosen: made.length > 0 ? `To stay within ${memoryLimit}: ${made.join(', ')}; about ${megabytes(total)}.` : null,
    }
  }
  throw new UserError(
    `train.memoryLimit is ${memoryLimit}, and the least that this run is foretold to need is ${megabytes(least)}: raise the limit, or take shorter ` +
      'rows (data.maxLength), a smaller train.evalBatchSize, base: int8 or int4, or a smaller model.',
  )
}
