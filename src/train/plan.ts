import type { RunConfig } from '../config/run-config.ts'
import type { Example } from '../data/examples.ts'
import { epochOrder, groupedByLength } from '../data/order.ts'
import { keyOf } from '../random/key.ts'
import type { Task } from '../tasks/task.ts'

/** How a run's examples become micro-batches and updates: a pure function of the settings. */
export interface Plan {
  readonly totalSteps: number
  readonly warmupSteps: number
  /** Epochs done after so many updates, a fraction. */
  epochAt(updates: number): number
  /** The micro-batches of an update, counted from 0. Micro-batches run on over the end of an epoch. */
  microBatches(step: number): Example[][]
  /** Whether an epoch ends with so many updates. */
  endsEpoch(updates: number): boolean
  /** Whether an evaluation follows after so many updates. */
  evaluatesAfter(updates: number): boolean
}

/** Updates of a run over so many examples, and micro-batches of an epoch. */
export function countUpdates(examples: number, { batchSize, accumulate, epochs, steps, warmupSteps, warmupRatio }: RunConfig['train']) {
  const perEpoch = Math.ceil(examples / batchSize)
  const totalSteps = steps ?? Math.ceil((epochs * perEpoch) / accumulate)
  return { perEpoch, totalSteps, warmupSteps: warmupSteps ?? Math.floor(warmupRatio * totalSteps) }
}

/** `drawn` asks an example as its key says, anew in each epoch. */
export function planRun(examples: readonly Example[], train: RunConfig['train'], drawn?: Task['drawn']): Plan {
  const { batchSize, accumulate, evalEvery } = train
  const { perEpoch, totalSteps, warmupSteps } = countUpdates(examples.length, train)
  const epochAt = (updates: number): number => (updates * accumulate) / perEpoch
  const endsEpoch = (updates: number): boolean => Math.floor(epochAt(updates)) > Math.floor(epochAt(updates - 1))
  let current: { epoch: number; order: Int32Array } | null = null
  const orderOf = (epoch: number): Int32Array => {
    const order = epochOrder(examples.length, train.seed, epoch, train.shuffle)
    if (!train.groupByLength) return order
    return groupedByLength(order, (at) => examples[at]!.ids.length, { batchSize, seed: train.seed, epoch })
  }
  return {
    totalSteps,
    warmupSteps,
    epochAt,
    endsEpoch,
    microBatches: (step) =>
      Array.from({ length: accumulate }, (_, i) => {
        const index = step * accumulate + i
        const epoch = Math.floor(index / perEpoch)
        if (current?.epoch !== epoch) current = { epoch, order: orderOf(epoch) }
        const start = (index % perEpoch) * batchSize
        const asked = (at: number): Example => drawn?.(examples[at]!, keyOf('drawn', train.seed, epoch, at)) ?? examples[at]!
        return Array.from(current.order.subarray(start, start + batchSize), asked)
      }),
    evaluatesAfter(updates) {
      if (updates === totalSteps) return true
      return evalEvery === 'epoch' ? endsEpoch(updates) : evalEvery !== 'end' && updates % evalEvery === 0
    },
  }
}
