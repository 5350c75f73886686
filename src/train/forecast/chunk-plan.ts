import type { RunConfig } from '../../config/run-config.ts'
import { UserError } from '../../errors.ts'
import type { MemoryOf } from './memory-need.ts'
import type { PlannedStep, Sizes } from './planned-step.ts'

type Train = RunConfig['train']

/** Measured: chunks of so many tokens take no longer than the whole, as what they make stays in the processor's cache. */
const USUAL_TOKENS = 1024

/** Chunks for a limit of memory: fewer tokens make products slow before they make results small. */
const SMALLER_TOKENS = [512, 256]

/** The smallest chunks, down to one row each. */
const LEAST_TOKENS = [64, 1]

/** Tokens of chunks in which micro-batches may be computed, null for whole: the fastest first, then those that only a limit asks for. */
export interface ChunkPlan {
  readonly sizes: readonly (number | null)[]
  readonly least: readonly number[]
}

/**
 * Settles `train.tokensAtOnce`; the update is the same in all chunks. `auto` takes them on the processor where they spare memory.
 * @throws UserError where chunks are demanded of what is made of a batch as a whole
 */
export function chunkPlan(
  { open }: MemoryOf,
  train: Train,
  stepOf: (train: Train) => PlannedStep,
  sizesOf: (train: Train) => readonly Sizes[],
): ChunkPlan {
  const given = train.tokensAtOnce
  const undivided: ChunkPlan = { sizes: [null], least: [] }
  if (given === null) return undivided
  const chunked = { ...train, tokensAtOnce: given === 'auto' ? USUAL_TOKENS : given }
  if (given !== 'auto') {
    if (stepOf(chunked).divisible) return { sizes: [given], least: [] }
    throw new UserError(
      "train.tokensAtOnce: this method's router looks after a micro-batch as a whole, which no chunk has; leave it out, or take a smaller " +
        'train.batchSize with train.accumulate.',
    )
  }
  // A dry run knows of the device from the settings alone.
  const onProcessor = open.subject.model.device === 'cpu' && (train.device === 'cpu' || train.device === 'auto')
  const whole = { ...train, tokensAtOnce: null }
  const most = (of: Train, number: (sizes: Sizes) => number): number => Math.max(...sizesOf(of).map(number))
  const large = (): boolean => most(whole, ({ tokens, decoderTokens = 0 }) => tokens! + decoderTokens) > USUAL_TOKENS
  const limited = train.memoryLimit !== null
  const usable = onProcessor && large()
  if (!usable && !limited) return undivided
  const { divisible, intermediateBytes, stateBytes } = stepOf(chunked)
  if (!divisible) return undivided
  // Chunks need sums of the gradients, and read and write them.
  const spares = most(whole, intermediateBytes) - most(chunked, intermediateBytes) > stateBytes
  const usual = usable && spares ? USUAL_TOKENS : null
  if (!limited) return { sizes: [usual], least: [] }
  return { sizes: [...(usual === null ? [null] : []), USUAL_TOKENS, ...SMALLER_TOKENS], least: LEAST_TOKENS }
}
