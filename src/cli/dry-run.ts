import { existsSync } from 'node:fs'
import { publishedResults } from '../config/published-runs.ts'
import type { RunConfig } from '../config/run-config.ts'
import type { Example } from '../data/examples.ts'
import { bringsTokens } from '../data/token-row.ts'
import { UserError } from '../errors.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import { inspectMethod, type MethodInspection } from '../evaluate/inspection.ts'
import { findConfig } from '../evaluate/open-task.ts'
import { trainedBesides } from '../evaluate/state.ts'
import { methodFor, type WeightCounts, weightCounts } from '../evaluate/weight-counts.ts'
import type { Model } from '../models/open.ts'
import { metricTextOf } from '../track/metric-text.ts'
import { bytes, count, flops } from '../track/numbers.ts'
import { publishedTable } from '../track/published-table.ts'
import { type DataSets, readDataSets } from '../train/data-sets.ts'
import { type OpenRun, openRun } from '../train/open-run.ts'
import { countUpdates } from '../train/plan.ts'
import { runExamples } from '../train/run-examples.ts'
import { hasTokenizer } from '../weights/hub-cache.ts'
import { methodText } from './inspection-text.ts'
import { inspectModel, type ModelInspection } from './model-inspection.ts'
import { type StepCost, stepCost } from './step-cost.ts'

/** What a run would be. */
export interface DryRun {
  readonly model: ModelInspection
  readonly method: MethodInspection
  /** Of the method alone; `method` counts what `train.trainAlso` adds, too. */
  readonly weights: WeightCounts
  readonly step: StepCost
  /** Where the number of examples comes from, and the number; null where only updates are counted. */
  readonly examples: { readonly from: 'data' | 'rows' | 'shots' | 'published.rows'; readonly count: number } | null
  readonly totalSteps: number
  readonly warmupSteps: number
  /** Null where examples are not counted. */
  readonly epochs: number | null
  readonly trainFlops: number
  /** Frozen weights, state and intermediate results of a step, in float32. */
  readonly memoryBytes: number
}

/** The examples of the training file; null where it cannot be read. */
function examplesOf(config: RunConfig, opened: OpenRun, { folder }: Model, files: DataSets | null): readonly Example[] | null {
  const readable = files && (hasTokenizer(folder) || files.train.every(bringsTokens))
  return readable ? runExamples(config, opened, files).examples : null
}

/** How many examples there are without reading them, as the run file says. */
function countExamples({ data, train, published }: RunConfig, { open: { labels } }: OpenRun, files: DataSets | null): DryRun['examples'] {
  if (data.shots !== null && labels.length > 0) return { from: 'shots', count: data.shots * labels.length }
  if (published?.rows) return { from: 'published.rows', count: published.rows }
  if (files) return { from: 'rows', count: files.train.length }
  if (train.steps !== null) return null
  throw new UserError(`${data.train} does not exist, so updates cannot be counted: give the file, train.steps, or published.rows.`)
}

/**
 * Checks a run and foretells what it takes. The model's config.json is enough; data is read where it is there.
 * @throws UserError for whatever would keep the run from its start, weights apart
 */
export async function dryRun(config: RunConfig): Promise<DryRun> {
  const model = await findConfig(config.model)
  const files = existsSync(config.data.train) ? await readDataSets(config) : null
  const opened = openRun(config, model, files?.train ?? null, { words: hasTokenizer(model.folder) })
  const { open, options } = opened
  const { subject, outline } = open
  const known = examplesOf(config, opened, model, files)
  const examples = known ? { from: 'data' as const, count: known.length } : countExamples(config, opened, files)
  const rows = (known ?? []).reduce((most, { others = [] }) => Math.max(most, 1 + others.length), 1)
  const { perEpoch, totalSteps, warmupSteps } = countUpdates(examples?.count ?? 0, config.train)
  const method = methodFor(subject, outline, options, totalSteps)
  const besides = trainedBesides(subject, outline, config.train.trainAlso)
  const { reserved } = arrangement(subject, method)
  const length = Math.min(config.data.maxLength ?? open.task.maxLength, model.wiring.maxPositions - reserved)
  const step = stepCost(open, method, config.train, { length, rows }, besides)
  const weights = weightCounts(subject, outline, method)
  return {
    model: inspectModel(open, length),
    method: inspectMethod(subject, outline, options, { length, besides }),
    weights,
    step,
    examples,
    totalSteps,
    warmupSteps,
    epochs: examples && (totalSteps * config.train.accumulate) / perEpoch,
    trainFlops: totalSteps * step.flops,
    memoryBytes: 4 * (weights.base + weights.head) + step.stateBytes + step.intermediateBytes,
  }
}

const sources = {
  data: '',
  rows: ' (rows of the file; without a tokenizer they are not read)',
  shots: ' (by data.shots)',
  'published.rows': ' (by published.rows)',
} as const

function text(config: RunConfig, found: DryRun): string {
  const { examples, totalSteps, warmupSteps, epochs, trainFlops, memoryBytes } = found
  const results = publishedResults(config)
  const read = examples ? `${count(examples.count)} examples${sources[examples.from]}, ` : ''
  const during = epochs === null ? '' : ` in ${Number(epochs.toFixed(2))} epochs`
  const seeds = config.train.seeds === null ? '' : `, for each of ${config.train.seeds.length} seeds`
  return (
    `${methodText(found.model, config.method, found.method, found.step)}` +
    `${read}${count(totalSteps)} updates${during}, ${count(warmupSteps)} of them warm-up; ${flops(trainFlops)}${seeds}\n` +
    `memory: about ${bytes(memoryBytes)} with the model's weights, for batches of the full length\n` +
    `${config.published ? `\n${publishedTable(config.published, results, null, metricTextOf(config.task))}` : ''}`
  )
}

/** What a run would be, for `train --dry-run`; ends in a line break. */
export async function dryRunText(config: RunConfig, json: boolean): Promise<string> {
  const found = await dryRun(config)
  return json ? `${JSON.stringify({ ...found, published: config.published }, null, 2)}\n` : text(config, found)
}
