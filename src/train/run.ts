import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RunConfig } from '../config/run-config.ts'
import { methodFor } from '../evaluate/method-for.ts'
import type { State } from '../evaluate/state.ts'
import type { WeightCounts } from '../evaluate/weight-counts.ts'
import { holding } from '../formats/folder-lock.ts'
import { defaultRate } from '../methods/index.ts'
import { makeFolder } from '../weights/file-access.ts'
import { bestFolder, readCheckpoint, stepFolder, writeCheckpoint } from './checkpoint.ts'
import { conclude, countsOf, type FinishedRun, stopped } from './conclusion.ts'
import { environment } from './environment.ts'
import type { RunEvent } from './events.ts'
import { type Progress, startOfRun, trainLoop } from './loop.ts'
import { sweepPrefixFiles } from './prefix/cache.ts'
import { type Prepared, prepare } from './prepare.ts'
import { rowCounts } from './row-counts.ts'
import { newestCheckpoint, type Saved, sweepRun } from './run-checkpoints.ts'
import { configOf, freeFolder, unchangedSince, writeBegin } from './run-folder.ts'
import { openRunLog } from './run-log.ts'
import type { RunOptions } from './run-options.ts'
import type { RunSummary } from './run-summary.ts'
import { meter, nothingSpent } from './spent.ts'
import { openTraining } from './training.ts'
import { textScoreNames } from './written-texts.ts'

/** What a run of one seed may be asked besides. */
export interface SeedOptions extends RunOptions {
  /** A run of the same settings in this folder that must have begun with the same files and model. */
  readonly alike?: string | undefined
  /** Given what a run came to, once everything is saved and before it is let go. */
  readonly afterwards?: (finished: FinishedRun) => Promise<void>
}

/** For a process that is about to end, as a trial's is whose comparison was killed. */
const ENDING_MS = 5000

/** Starts a run of one seed, as `train` of seeds.ts does. */
export async function train(config: RunConfig, options: SeedOptions = {}): Promise<RunSummary> {
  const out = freeFolder(config, options)
  const checkModel = options.alike === undefined ? null : unchangedSince(options.alike, configOf(options.alike))
  const prepared = await prepare(config, options.notice)
  const { model } = prepared.open.subject
  checkModel?.(model)
  const learningRate = config.train.learningRate ?? defaultRate(prepared.options)
  const complete: RunConfig = {
    ...config,
    method: prepared.options,
    // Rows of another file may have other columns of the task's.
    data: { ...config.data, ...prepared.reading, columns: config.data.columns },
    train: { ...prepared.train, learningRate, device: model.device },
  }
  const found = environment(complete, model)
  const begin = (): Promise<RunSummary> => {
    writeBegin(out, complete, found)
    return carryOn(out, complete, prepared, null, options)
  }
  return holding(out, begin, ENDING_MS)
}

/** Goes on with a run of one seed from its newest whole checkpoint. */
export async function resume(out: string, options: SeedOptions = {}): Promise<RunSummary> {
  const config = configOf(out)
  const checkModel = unchangedSince(out, config)
  const goOn = async (): Promise<RunSummary> => {
    const { newest, torn } = newestCheckpoint(join(out, 'checkpoints'))
    for (const folder of torn) options.notice?.(`${folder} is damaged and was passed over.`)
    const prepared = await prepare(config, options.notice)
    checkModel(prepared.open.subject.model)
    // A config of an earlier version leaves choices open that a new run writes down.
    return carryOn(out, { ...config, train: prepared.train }, prepared, newest, options)
  }
  return holding(out, goOn, ENDING_MS)
}

/** What a run is, for its record. */
function runEvent({ model, task }: RunConfig, prepared: Prepared, weights: WeightCounts): RunEvent {
  const { options, plan, examples, memoryBytes } = prepared
  return {
    event: 'run',
    ...{ model, task, method: options, totalSteps: plan.totalSteps, examples: examples.length, weights, memoryBytes },
    ...rowCounts(prepared),
  }
}

/** Trains from a checkpoint, or from the start, and saves the result. */
async function carryOn(
  out: string,
  config: RunConfig,
  prepared: Prepared,
  from: string | null,
  { sinks = [], stopRequested = () => false, notice, evaluating, afterwards }: SeedOptions,
): Promise<RunSummary> {
  const { open, plan, options, evaluation } = prepared
  const root = join(out, 'checkpoints')
  const found = from === null ? null : readCheckpoint(from)
  const saved = (found?.progress ?? null) as Saved | null
  const state: State = found?.state ?? prepared.state
  const progress = saved?.progress ?? startOfRun()
  const spent = meter(saved?.spent ?? nothingSpent)
  if (progress.step === plan.totalSteps || progress.stoppedEarly) notice?.('The run is trained to its end; its results are written again.')
  else if (from !== null) notice?.(`Going on after update ${progress.step} of ${plan.totalSteps}.`)
  if (from === null) rmSync(root, { recursive: true, force: true })
  makeFolder(root)

  const training = await openTraining(prepared, config, state, saved ? saved.memory : prepared.memory, out, evaluating)
  if (saved === null) progress.flops += training.prefixFlops
  const log = openRunLog(join(out, 'run.jsonl'), saved?.logBytes ?? 0)
  const emit = (event: RunEvent): void => {
    log.append(event)
    // Counters of energy start anew now and then.
    spent()
    for (const sink of sinks) sink(event)
  }
  let keptStep = saved?.progress.step ?? null
  const checkpoint = (now: Progress): string => {
    const folder = stepFolder(root, now.step)
    // Nothing has changed, and a kill while it is written over would lose it.
    if (now.step === keptStep) return folder
    const content: Saved = { progress: now, memory: training.memory, logBytes: log.sync(), spent: spent() }
    writeCheckpoint(folder, training.state, content)
    keptStep = now.step
    sweepRun(root, config.train.keepCheckpoints)
    return folder
  }
  try {
    const start = countsOf(prepared, config, methodFor(open.subject, open.outline, options, plan.totalSteps, prepared.memory))
    const begin = runEvent(config, prepared, start)
    // A resumed run is one record; its sinks are new and need to know what it is.
    if (saved !== null) for (const sink of sinks) sink(begin)
    else for (const event of [begin, ...prepared.warnings.map((message): RunEvent => ({ event: 'warning', message }))]) emit(event)
    const finished = await trainLoop(progress, {
      training,
      plan,
      evaluates: evaluation !== null,
      keepBest: config.train.keepBest ?? textScoreNames(config)[0] ?? open.task.primary,
      patience: config.train.patience,
      checkpointEvery: config.train.checkpointEvery,
      emit,
      stopRequested,
      checkpoint,
      keepAsBest: (now) => writeCheckpoint(bestFolder(root, now.step), training.state, { memory: training.memory }),
    })
    const run = { out, config, prepared, training, progress }
    return finished ? await conclude(run, start, { emit, spent, afterwards }) : stopped(run, start)
  } finally {
    log.close()
    await training.close()
    if (progress.step === plan.totalSteps || progress.stoppedEarly) sweepPrefixFiles(out)
  }
}
