import type { RunConfig } from '../../config/run-config.ts'
import { UserError } from '../../errors.ts'
import type { ChunkPlan } from './chunk-plan.ts'
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

/** Ways to make the same updates, the fastest first: in chunks, the larger first, then with layers made again. */
function* ways(train: Train, { sizes, least }: ChunkPlan): Generator<Train> {
  const settled = train.recompute === 'auto' ? (['none', 'every-1'] as const) : [train.recompute]
  for (const recompute of settled) for (const tokensAtOnce of sizes) yield { ...train, recompute, tokensAtOnce }
  for (const tokensAtOnce of least) yield { ...train, recompute: settled.at(-1)!, tokensAtOnce }
}

/**
 * Settles how updates are made: in the fastest way without a limit, else in the fastest that is foretold to stay within it, in chunks that add
 * up to the same updates and with layers that are made again.
 * @throws UserError where nothing stays within the limit, with the least that would
 */
export function memoryPlan(train: Train, chunks: ChunkPlan, needOf: (train: Train) => MemoryNeed): MemoryPlan {
  const { memoryLimit } = train
  const most = memoryLimit === null ? Infinity : limitBytes(memoryLimit)
  let fastest: Train | null = null
  let least = Infinity
  for (const way of ways(train, chunks)) {
    const settled = { ...way, memoryLimit: null }
    fastest ??= settled
    const need = needOf(settled)
    const total = totalBytes(need)
    least = Math.min(least, total)
    if (total > most) continue
    const { tokensAtOnce, recompute } = settled
    const made = [
      ...(tokensAtOnce === fastest.tokensAtOnce ? [] : [`chunks of ${tokensAtOnce === 1 ? 'one row' : `about ${tokensAtOnce} tokens`}`]),
      ...(recompute === fastest.recompute ? [] : ['layers made again in the backward pass']),
    ]
    return {
      train: settled,
      need,
      chosen: made.length > 0 ? `To stay within ${memoryLimit}: ${made.join(', ')}; about ${megabytes(total)}.` : null,
    }
  }
  throw new UserError(
    `train.memoryLimit is ${memoryLimit}, and the least that this run is foretold to need is ${megabytes(least)}: raise the limit, or take shorter ` +
      'rows (data.maxLength), a smaller train.batchSize with train.accumulate, a smaller train.evalBatchSize, base: int8 or int4, or a smaller model.',
  )
}
