import type { RunConfig } from '../../config/run-config.ts'
import type { Outline, Subject } from '../../evaluate/assembly.ts'
import { evenSizes } from '../../evaluate/stream-feeds.ts'
import type { Besides } from '../../evaluate/weight-counts.ts'
import type { Method } from '../../nn/method.ts'
import { evenChunk } from './largest-sizes.ts'
import { plannedStep } from './planned-step.ts'

/** What one update takes, as its graph foretells. */
export interface StepCost {
  /** Rows of a micro-batch, and tokens of each row. */
  readonly rows: number
  readonly length: number
  readonly microBatches: number
  readonly flops: number
  /** What is computed once for each example of such rows, and not by updates. */
  readonly prefixFlops: number
  /** The most bytes of intermediate results at once; frozen weights and the state come on top. */
  readonly intermediateBytes: number
  /** What is trained, with the optimiser's and the method's tensors beside it. */
  readonly stateBytes: number
}

/** Builds the step of a run without weights and reads its cost off the graph, for full batches of examples of as many `rows` of `length` tokens. */
export function stepCost(
  open: { subject: Subject; outline: Outline },
  method: Method,
  train: RunConfig['train'],
  { length, rows: each = 1 }: { readonly length: number; readonly rows?: number },
  besides: Besides = () => false,
): StepCost {
  const rows = train.batchSize * each
  const { passes } = method
  const atOnce = evenChunk(train, { length, rows: each, passes })
  const step = plannedStep({ ...open, method, train, besides, places: atOnce.places! })
  return {
    rows,
    length,
    microBatches: train.accumulate,
    flops: train.accumulate * step.flops(evenSizes(rows * passes, length)) + step.updateFlops,
    prefixFlops: step.prefix ? step.prefix.flops(evenSizes(each * passes, length)) : 0,
    intermediateBytes: step.intermediateBytes(atOnce),
    stateBytes: step.stateBytes,
  }
}
