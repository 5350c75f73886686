import type { RunConfig } from '../../config/run-config.ts'
import { UserError } from '../../errors.ts'
import { keyOf } from '../../random/key.ts'
import { type MemoryOf, prefixBytes } from '../forecast/memory-need.ts'
import type { PlannedStep } from '../forecast/planned-step.ts'
import { countUpdates } from '../plan.ts'
import { MOST_IN_MEMORY } from './cache.ts'
import { usualSizes } from './kept-places.ts'

/** Of an update's operations the least that `auto` is to spare. */
const WORTH = 0.1

/** Whether a run keeps what its steps compute before all that training changes. */
export interface PrefixPlan {
  readonly cachePrefix: boolean
  /** Null where nothing is kept. */
  readonly chosen: string | null
}

const none: PrefixPlan = { cachePrefix: false, chosen: null }

function refused(reason: string): UserError {
  return new UserError(`train.cachePrefix is true, but ${reason}`)
}

/**
 * Settles `train.cachePrefix`. What is kept has last bits of the batches in which it was made, so that `auto` asks for a gain.
 * @throws UserError where it is demanded and cannot be
 */
export function prefixPlan(run: MemoryOf, train: RunConfig['train'], stepOf: (train: RunConfig['train']) => PlannedStep): PrefixPlan {
  const { open, method, examples } = run
  if (train.cachePrefix === false) return none
  const demanded = train.cachePrefix === true
  const { drawn } = open.task
  if (drawn && examples?.some((example) => drawn(example, keyOf('drawn', train.seed)) !== example)) {
    if (!demanded) return none
    throw refused(`${open.name} asks rows anew in each epoch, so that nothing of them stays the same: leave it out.`)
  }
  const { perEpoch, totalSteps } = countUpdates(run.count, train)
  if (!demanded && (examples === null || train.memoryLimit !== null || totalSteps * train.accumulate <= perEpoch)) return none
  const kept = { ...train, cachePrefix: true }
  const step = stepOf(kept)
  if (!step.prefix) {
    if (!demanded) return none
    throw refused(
      stepOf({ ...kept, dropout: 0 }).prefix
        ? "the model's dropout makes the first layers random: set train.dropout: 0."
        : 'what is trained begins too low for anything below it to be worth keeping: restrict the method to upper layers (method.layers: last 2), ' +
            'or leave it out.',
    )
  }
  const sizes = usualSizes(method.passes)
  const spared = step.prefix.flops(sizes)
  const bytes = prefixBytes(run, step)
  if (!demanded && (bytes > MOST_IN_MEMORY || spared < WORTH * (spared + step.flops(sizes)))) return none
  const where = bytes > MOST_IN_MEMORY ? "in a file of the run's folder" : 'in memory'
  return {
    cachePrefix: true,
    chosen: `What comes before all that is trained is computed once for each row: ${Math.ceil(bytes / 1e6)} MB, ${where}.`,
  }
}
