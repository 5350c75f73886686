import type { RunConfig } from '../../config/run-config.ts'
import { type Outline, type Subject, withoutWeights } from '../../evaluate/assembly.ts'
import type { Besides } from '../../evaluate/weight-counts.ts'
import { evaluate } from '../../graph/dim.ts'
import { flopCounter } from '../../graph/flops.ts'
import type { KeptValue } from '../../lowering/frozen-prefix.ts'
import type { Method } from '../../nn/method.ts'
import { isHead } from '../../nn/outline.ts'
import { elementCount } from '../../nn/tensor.ts'
import { type FrozenBytes, frozenBytes } from '../../onnx/bytes.ts'
import { liveNodes } from '../../onnx/live.ts'
import { peakBytes } from '../../onnx/order.ts'
import { isParameter } from '../average.ts'
import { logitParts } from '../logit-parts.ts'
import { splitStep } from '../prefix/kept-places.ts'
import { buildStepGraph } from '../step-graph.ts'
import { stepOptions } from '../step-options.ts'

/** The named sizes of a micro-batch and of its targets. */
export type Sizes = Readonly<Record<string, number>>

/** An update's graph, built without weights, and what can be read off it. */
export interface PlannedStep {
  /** Frozen weights, in the form in which they take part in products. */
  readonly weightBytes: FrozenBytes
  /** What is trained, with the optimiser's and the method's tensors beside it, and its average. */
  readonly stateBytes: number
  /** Floating-point operations of a micro-batch, and of the update where that is apart. */
  flops(sizes: Sizes): number
  readonly updateFlops: number
  /** The most bytes of intermediate results at once. */
  intermediateBytes(sizes: Sizes): number
  /** What is kept in place of what comes before all that training changes, and the operations that this spares; null where nothing is. */
  readonly prefix: { readonly kept: readonly KeptValue[]; flops(sizes: Sizes): number } | null
  /** Whether a micro-batch may be computed in chunks. */
  readonly divisible: boolean
  /** The random bytes that dropout and routers read. */
  poolBytes(sizes: Sizes): number
}

export interface PlannedStepOptions {
  readonly subject: Subject
  readonly outline: Outline
  readonly method: Method
  readonly train: RunConfig['train']
  readonly besides: Besides
  /** The most places of a micro-batch that are asked for a word. */
  readonly places: number
}

/** Builds the step of a run without weights. */
export function plannedStep({ subject: given, outline, method, train, besides, places }: PlannedStepOptions): PlannedStep {
  const subject = withoutWeights(given)
  const trained = [...outline.base.values()].filter(
    (parameter) => isHead(outline, parameter.name) || method.trains(parameter) || besides(parameter),
  )
  // Only names are asked of these tensors.
  const state = new Map(trained.map(({ name, shape }) => [name, { shape, data: new Float32Array(0) }]))
  const options = stepOptions(method, logitParts(subject, places), { ...train, classWeights: null })
  const step = buildStepGraph(subject, state, options)
  const { masks } = step
  const split = train.cachePrefix === true ? splitStep(step.engine, method) : null
  const engine = split?.rest ?? step.engine
  const { lowered } = subject.model
  // The engine keeps room for it beside that of the other graph.
  const updateBytes = step.update ? peakBytes(lowered(step.update), {}) : 0
  const copies = (name: string): number => (train.average !== null && isParameter(name) ? 2 : 1)
  const packing = { prepack: train.packed }
  const graphs = [lowered(engine, packing), ...(split ? [lowered(split.prefix)] : [])]
  return {
    weightBytes: frozenBytes(lowered(step.engine, packing)),
    stateBytes: [...step.state].reduce((sum, [name, shape]) => sum + 4 * copies(name) * elementCount(shape), 0),
    flops: flopCounter(liveNodes(engine)),
    updateFlops: step.update ? flopCounter(liveNodes(step.update))({}) : 0,
    prefix: split && { kept: split.kept, flops: flopCounter(liveNodes(split.prefix)) },
    intermediateBytes: (sizes) => Math.max(...graphs.map((graph) => peakBytes(graph, sizes))) + updateBytes,
    divisible: step.divisible,
    poolBytes(sizes) {
      const largest = new Map<string | number, number>()
      for (const { p, size } of masks) largest.set(p, Math.max(largest.get(p) ?? 0, evaluate(size, sizes)))
      return [...largest].reduce((sum, [p, size]) => sum + 2 * size * (typeof p === 'number' ? 1 : 4), 0)
    },
  }
}
