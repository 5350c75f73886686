import type { RunConfig } from '../config/run-config.ts'
import { isHead, type Outline, type Subject } from '../evaluate/assembly.ts'
import { evenSizes } from '../evaluate/stream-feeds.ts'
import type { Besides } from '../evaluate/weight-counts.ts'
import { flopCounter } from '../graph/flops.ts'
import type { Method } from '../nn/method.ts'
import { elementCount } from '../nn/tensor.ts'
import { liveNodes } from '../onnx/live.ts'
import { peakBytes } from '../onnx/order.ts'
import { logitParts } from './logit-parts.ts'
import { buildStepGraph } from './step-graph.ts'
import { stepOptions } from './step-options.ts'

/** What one update takes, as its graph foretells. */
export interface StepCost {
  /** Rows of a micro-batch, and tokens of each row. */
  readonly rows: number
  readonly length: number
  readonly microBatches: number
  readonly flops: number
  /** The most bytes of intermediate results at once; frozen weights and the state come on top. */
  readonly intermediateBytes: number
  /** What is trained, with the optimiser's and the method's tensors beside it. */
  readonly stateBytes: number
}

/** Builds the step of a run without weights and reads its cost off the graph, for full batches of examples of as many `rows` of `length` tokens. */
export function stepCost(
  { subject, outline }: { subject: Subject; outline: Outline },
  method: Method,
  train: RunConfig['train'],
  { length, rows: each = 1 }: { readonly length: number; readonly rows?: number },
  besides: Besides = () => false,
): StepCost {
  const { passes } = method
  // Only names are asked of these tensors.
  const trained = [...outline.base.values()].filter(
    (parameter) => isHead(subject, parameter.name) || method.trains(parameter) || besides(parameter),
  )
  const state = new Map(trained.map(({ name, shape }) => [name, { shape, data: new Float32Array(0) }]))
  const rows = train.batchSize * each * passes
  const sizes = evenSizes(rows, length)
  const parts = logitParts(subject, rows * length)
  const step = buildStepGraph(subject, state, stepOptions(method, parts, { ...train, classWeights: null }))
  const { graph } = step.assembly.network
  const stateBytes = [...step.state.values()].reduce((sum, shape) => sum + 4 * elementCount(shape), 0)
  return {
    rows: train.batchSize * each,
    length,
    microBatches: train.accumulate,
    flops: train.accumulate * flopCounter(liveNodes(graph))(sizes),
    intermediateBytes: peakBytes(graph, sizes),
    stateBytes,
  }
}
