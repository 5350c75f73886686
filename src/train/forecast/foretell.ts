import { existsSync } from 'node:fs'
import type { RunConfig } from '../../config/run-config.ts'
import { bringsTokens } from '../../data/token-row.ts'
import { UserError } from '../../errors.ts'
import { arrangement } from '../../evaluate/arrangement.ts'
import { findConfig } from '../../evaluate/find-model.ts'
import { methodFor } from '../../evaluate/method-for.ts'
import type { OpenTask } from '../../evaluate/open-task.ts'
import { trainedBesides } from '../../evaluate/state.ts'
import { type Besides, type WeightCounts, weightCounts } from '../../evaluate/weight-counts.ts'
import type { MethodOptions } from '../../methods/index.ts'
import type { Model } from '../../models/open.ts'
import { hasTokenizer } from '../../weights/hub-cache.ts'
import { type DataSets, readDataSets } from '../data-sets.ts'
import { type OpenRun, openRun } from '../open-run.ts'
import { countUpdates } from '../plan.ts'
import { type RunExamples, runExamples } from '../run-examples.ts'
import { type MemoryNeed, type MemoryOf, totalBytes } from './memory-need.ts'
import { settled } from './settled.ts'
import { type StepCost, stepCost } from './step-cost.ts'

/** Where the number of examples comes from, and the number. */
export interface ExampleCount {
  readonly from: 'data' | 'rows' | 'shots' | 'published.rows'
  readonly count: number
  /** The mean of their tokens; null where they are not read. */
  readonly meanLength: number | null
  /** What the model is asked for one of them at the most, as for each choice of several. */
  readonly rows: number
}

/** What a run takes, foretold from shapes and the number of its examples. */
export interface Foretold {
  /** Of the method alone. */
  readonly weights: WeightCounts
  /** For batches of the full length. */
  readonly step: StepCost
  /** Null where only updates are counted. */
  readonly examples: ExampleCount | null
  readonly totalSteps: number
  readonly warmupSteps: number
  /** Null where examples are not counted. */
  readonly epochs: number | null
  readonly trainFlops: number
  /** What the process needs at its peak, and what for. */
  readonly memoryBytes: number
  readonly memory: MemoryNeed
  /** How updates are made, every choice made. */
  readonly train: RunConfig['train']
  /** What was chosen for it. */
  readonly chosen: string | null
}

/** A run as it is foretold from, and the cost of an update with rows of any length. */
export interface Foretelling extends Foretold {
  readonly open: OpenTask
  readonly options: MethodOptions
  readonly besides: Besides
  readonly length: number
  costAt(length: number): StepCost
}

/** The examples that a run is foretold from, and those themselves where the training file can be read. */
export interface Counted {
  readonly count: ExampleCount | null
  readonly read: RunExamples | null
}

/** The examples of the training file where it can be read, else as many as the run file says. */
function countExamples(config: RunConfig, opened: OpenRun, { folder }: Model, files: DataSets | null): Counted {
  const { data, train, published } = config
  const { labels } = opened.open
  const unread = { meanLength: null, rows: 1 }
  const counted = (count: ExampleCount | null): Counted => ({ count, read: null })
  if (files && (hasTokenizer(folder) || files.train.every(bringsTokens))) {
    const read = runExamples(config, opened, files)
    const { examples } = read
    const tokens = examples.reduce((sum, { ids }) => sum + ids.length, 0)
    const rows = examples.reduce((most, { others = [] }) => Math.max(most, 1 + others.length), 1)
    return { count: { from: 'data', count: examples.length, meanLength: Math.round(tokens / examples.length), rows }, read }
  }
  if (data.shots !== null && labels.length > 0) return counted({ from: 'shots', count: data.shots * labels.length, ...unread })
  if (published?.rows) return counted({ from: 'published.rows', count: published.rows, ...unread })
  if (files) return counted({ from: 'rows', count: files.train.length, ...unread })
  if (train.steps !== null) return counted(null)
  throw new UserError(`${data.train} does not exist, so updates cannot be counted: give the file, train.steps, or published.rows.`)
}

/**
 * Checks a run and foretells what it takes. The model's config.json is enough; data is read where it is there. Runs that share their data
 * may share a `memory` of what was counted in it.
 * @throws UserError for whatever would keep the run from its start, weights apart
 */
export async function foretell(config: RunConfig, memory: Map<string, Counted> = new Map()): Promise<Foretelling> {
  const model = await findConfig(config.model, { base: config.base, device: config.train.device })
  const files = existsSync(config.data.train) ? await readDataSets(config) : null
  const opened = openRun(config, model, files?.train ?? null, { words: hasTokenizer(model.folder) })
  const { open, options } = opened
  const { subject, outline } = open
  const { reserved } = arrangement(subject, methodFor(subject, outline, options))
  const { seed, steps } = config.train
  const key = JSON.stringify([config.model, config.task, config.data, seed, steps === null, reserved])
  if (!memory.has(key)) memory.set(key, countExamples(config, opened, model, files))
  const { count: examples, read } = memory.get(key)!
  const besides = trainedBesides(subject, outline, config.train.trainAlso)
  const length = Math.min(config.data.maxLength ?? open.task.maxLength, model.wiring.maxPositions - reserved)
  const rows = examples?.rows ?? 1
  const run: MemoryOf = {
    ...{ open, besides, length, rows, count: examples?.count ?? 0 },
    method: methodFor(subject, outline, options, countUpdates(examples?.count ?? 0, config.train).totalSteps),
    examples: read?.examples ?? null,
    evaluation: read?.evaluation ?? null,
    evaluates: config.data.eval !== null || config.data.evalShots !== null,
  }
  const { train, need, chosen } = settled(run, config.train)
  const { perEpoch, totalSteps, warmupSteps } = countUpdates(examples?.count ?? 0, train)
  const method = methodFor(subject, outline, options, totalSteps)
  const costAt = (tokens: number): StepCost => stepCost(open, method, train, { length: tokens, rows }, besides)
  const step = costAt(length)
  const weights = weightCounts(outline, method)
  return {
    ...{ open, options, besides, length, costAt, train },
    chosen: chosen.join(' ') || null,
    ...{ weights, step, examples, totalSteps, warmupSteps },
    epochs: examples && (totalSteps * train.accumulate) / perEpoch,
    trainFlops: totalSteps * step.flops + (examples?.count ?? 0) * step.prefixFlops,
    memory: need,
    memoryBytes: totalBytes(need),
  }
}
