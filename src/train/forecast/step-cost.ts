import type { RunConfig } from '../../config/run-config.ts'
import type { Outline, Subject } from '../../evaluate/assembly.ts'
import { evenSizes } from '../../evaluate/stream-feeds.ts'
import type { Besides } from '../../evaluate/weight-counts.ts'
import type { Method } from '../../nn/method.ts'
import { evenChunks } from './largest-sizes.ts'
import { plannedStep } from './planned-step.ts'

/** What one update takes, as its graph foretells. */
export interface StepCost {
  /** Rows of a micro-batch, and tokens of each row. */
  readonly rows: number
  readonly length: number
  readonly microBatches: number
  /** Chunks in which a micro-batch is computed. */
  readonly chunks: number
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
  const chunked = evenChunks(train, open.subject, { length, rows: each, passes })
  const step = plannedStep({ ...open, method, train, besides, places: chunked.sizes.places! })
  const flopsOf = (examples: number): number => step.flops(evenSizes(examples * each * passes, length))
  const [fewer, larger] = [Math.floor(train.batchSize / chunked.count), train.batchSize % chunked.count]
  const flops = larger * flopsOf(fewer + 1) + (chunked.count - larger) * flopsOf(fewer)
  return {
    rows,
    length,
    microBatches: train.accumulate,
    chunks: chunked.count,
    flops: train.accumulate * flops + step.updateFlops,
    prefixFlops: step.prefix ? step.prefix.flops(evenSizes(each * passes, length)) : 0,
    intermediateBytes: step.intermediateBytes(chunked.sizes),
    stateBytes: step.stateBytes,
  }
}
