import type { RunConfig } from '../config/run-config.ts'
import { forwardCosts } from '../evaluate/inspection.ts'
import { trainedBesides } from '../evaluate/state.ts'
import { type WeightCounts, weightCounts } from '../evaluate/weight-counts.ts'
import { type Deployed, deployed, type Method } from '../nn/method.ts'
import { averagedParameters } from './average.ts'
import type { Sink } from './events.ts'
import { saveResult, scoreTest, writeMetrics } from './finish.ts'
import type { Progress } from './loop.ts'
import { mergeEvents, scoreMerge } from './merge-check.ts'
import type { Prepared } from './prepare.ts'
import type { RunSummary } from './run-summary.ts'
import type { Spent } from './spent.ts'
import type { Training } from './training.ts'

/** A run whose updates are made, or that was stopped. */
export interface TrainedRun {
  readonly out: string
  readonly config: RunConfig
  readonly prepared: Prepared
  readonly training: Training
  readonly progress: Progress
}

/** A run at its end: what it read, and the models that answer, as kept and as left by the last update. */
export interface FinishedRun {
  readonly prepared: Prepared
  readonly kept: Deployed
  readonly last: Deployed
  readonly progress: Progress
}

/** The weights of a run under a method, with those of the model that are trained besides. */
export function countsOf({ open: { subject, outline } }: Prepared, { train }: RunConfig, method: Method): WeightCounts {
  return weightCounts(outline, method, trainedBesides(subject, outline, train.trainAlso))
}

/** What a run that was stopped tells; `start` are the weights of its method as it began. */
export function stopped({ out, config, prepared, training, progress }: TrainedRun, start: WeightCounts): RunSummary {
  const rows = prepared.examples
  const meanLength = Math.round(rows.reduce((sum, { ids }) => sum + ids.length, 0) / rows.length)
  return {
    out,
    finished: false,
    kept: progress.best,
    // AdaLoRA ends with other ranks than it starts with.
    weights: { ...start, merged: countsOf(prepared, config, training.method).merged },
    forwardFlops: forwardCosts(prepared.open.subject, training.method, 1, meanLength),
    metrics: {},
  }
}

/** Saves a run that came to its end, scores what it keeps, and tells what it came to; `afterwards` is given all before it is let go. */
export async function conclude(
  run: TrainedRun,
  start: WeightCounts,
  { emit, spent, afterwards }: { emit: Sink; spent: () => Spent; afterwards: ((finished: FinishedRun) => Promise<void>) | undefined },
): Promise<RunSummary> {
  const { out, config, prepared, training, progress } = run
  const told = stopped(run, start)
  const result = saveResult(out, config, prepared, training, progress)
  const test = await scoreTest(config, prepared, result)
  const merge = await scoreMerge(prepared, result, config.train.evalBatchSize)
  for (const event of merge ? mergeEvents(merge, progress.step) : []) emit(event)
  const { adapterBytes } = result
  const { step: steps, tokens, flops: trainFlops, best, last } = progress
  const kept = best ?? last
  const metrics = {
    ...kept?.metrics,
    keptStep: best?.step ?? steps,
    steps,
    tokens,
    trainFlops,
    adapterBytes,
    ...told.weights,
    ...spent(),
  }
  const tested = test && { test }
  writeMetrics(out, { ...metrics, ...tested })
  emit({ event: 'done', ...metrics, ...tested })
  await afterwards?.({ prepared, kept: result, last: deployed(training.method, averagedParameters(training.state)), progress })
  return { ...told, finished: true, metrics, ...tested, ...(merge && { merge }) }
}
