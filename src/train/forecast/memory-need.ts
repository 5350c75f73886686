import type { RunConfig } from '../../config/run-config.ts'
import { type Example, examplesIn, type Item, tokenCount } from '../../data/examples.ts'
import { byLength } from '../../data/order.ts'
import { arrangement } from '../../evaluate/arrangement.ts'
import { withoutWeights } from '../../evaluate/assembly.ts'
import { forwardGraph, mostRows } from '../../evaluate/forward.ts'
import type { OpenTask } from '../../evaluate/open-task.ts'
import { evenSizes } from '../../evaluate/stream-feeds.ts'
import type { Besides } from '../../evaluate/weight-counts.ts'
import { deployed, type Method } from '../../nn/method.ts'
import type { FrozenBytes } from '../../onnx/bytes.ts'
import { peakBytes } from '../../onnx/order.ts'
import { MOST_IN_MEMORY } from '../prefix/cache.ts'
import { keptPlaces } from '../prefix/kept-places.ts'
import type { PlannedStep, Sizes } from './planned-step.ts'

/** Bytes that a run needs at its peak, by what they are for. */
export interface MemoryNeed {
  /** Node.js, the engine, and this program's own data. */
  readonly process: number
  /** Frozen weights: pages of their files, and copies where they are packed. */
  readonly weights: number
  /** What is trained, with the optimiser's tensors. */
  readonly state: number
  /** Intermediate results of a training step, with what the engine's allocator loses between them, and random bytes. */
  readonly step: number
  /** What is kept of each row in place of what is computed before all that training changes. */
  readonly prefix: number
  /** Intermediate results of an evaluation, which the engine keeps room for beside those of training. */
  readonly evaluation: number
}

export const totalBytes = (need: MemoryNeed): number => Object.values(need).reduce((sum, bytes) => sum + bytes, 0)

/** Measured: of a run whose model and rows are next to nothing (130 MB under Node.js 20, 155 under 24), and of each token and row that is read. */
const PROCESS_BYTES = 150e6
const TOKEN_BYTES = 12
const ROW_BYTES = 1500
/** Intermediate results with what the engine's allocator loses between them: up to a third of small ones, hardly more of large ones. Measured. */
const allocated = (bytes: number): number => bytes + Math.min(bytes / 3, 100e6)

/** A run as far as its memory goes. */
export interface MemoryOf {
  readonly open: OpenTask
  readonly method: Method
  readonly besides: Besides
  /** Null where they are not read: then all rows have `length` tokens. */
  readonly examples: readonly Example[] | null
  /** Their number, as far as it is known. */
  readonly count: number
  readonly evaluation: readonly Item[] | null
  readonly evaluates: boolean
  /** Tokens of a row, and rows of an example, at the most. */
  readonly length: number
  readonly rows: number
}

/** What frozen weights take: evaluations read matrices as they lie in their files, packed or not. */
const weightsOf = ({ mapped, copies, letGo }: FrozenBytes, packed: boolean, evaluates: boolean): number =>
  packed ? mapped + copies - (evaluates ? 0 : letGo) : mapped

/** An example of so many tokens and rows, all of which are asked. */
function fullExample(length: number, rows: number): Example {
  const row = { ids: new Int32Array(length), types: new Int32Array(length), mask: new Uint8Array(length).fill(1) }
  const others = Array.from({ length: rows - 1 }, () => row)
  return { ...row, others, label: Array.from(row.ids), file: '', line: 0 }
}

/** The most bytes of intermediate results of an evaluation. */
function evaluationBytes({ open, method, evaluation, length, rows: each }: MemoryOf, evalBatchSize: number): number {
  const subject = withoutWeights(open.subject)
  const { method: plain } = deployed(method, new Map())
  const inPlace = [...open.outline.base.values()].filter((parameter) => plain.trains(parameter))
  const graph = subject.model.lowered(forwardGraph(subject, plain, new Map(inPlace.map(({ name, shape }) => [name, { shape }]))))
  const all = evaluation ? examplesIn(evaluation) : Array.from({ length: evalBatchSize }, () => fullExample(length, each))
  const longest = byLength(all).map((i) => all[i]!)
  const first = longest[0]!
  const answers = subject.head.answers(first)
  const rows = mostRows(subject, Math.max(1, answers), Math.min(longest.length, evalBatchSize))
  const tokens = longest.slice(0, rows).reduce((sum, example) => sum + tokenCount(example), 0)
  return peakBytes(graph, { ...evenSizes(rows * each, first.ids.length), tokens, places: rows * answers })
}

/** The bytes that are kept of all examples, of rows of the full length where they are not read. */
export function prefixBytes({ open, method, examples, count, length, rows }: MemoryOf, { prefix }: PlannedStep): number {
  if (!prefix) return 0
  if (examples) return 4 * keptPlaces(prefix.kept, examples, arrangement(open.subject, method)).length
  const sizes = evenSizes(rows, length)
  return 4 * count * prefix.kept.reduce((sum, { per, width }) => sum + sizes[per]! * width, 0)
}

/** Foretells the memory of a run under settings of its training, from shapes alone. */
export function memoryNeed(
  run: MemoryOf,
  stepOf: (train: RunConfig['train']) => PlannedStep,
  sizesOf: (train: RunConfig['train']) => readonly Sizes[],
): (train: RunConfig['train']) => MemoryNeed {
  const { examples } = run
  const read = examples ? examples.reduce((sum, example) => sum + ROW_BYTES + TOKEN_BYTES * tokenCount(example), 0) : 0
  const evaluation = run.evaluates ? (size: number): number => allocated(evaluationBytes(run, size)) : (): number => 0
  let ofEvaluation: number | null = null
  return (train) => {
    const step = stepOf(train)
    ofEvaluation ??= evaluation(train.evalBatchSize)
    const kept = prefixBytes(run, step)
    return {
      process: PROCESS_BYTES + read,
      weights: weightsOf(step.weightBytes, train.packed, run.evaluates),
      state: step.stateBytes,
      step: Math.max(...sizesOf(train).map((each) => allocated(step.intermediateBytes(each)) + 2 * step.poolBytes(each))),
      prefix: kept <= MOST_IN_MEMORY ? kept : 0,
      evaluation: ofEvaluation,
    }
  }
}
