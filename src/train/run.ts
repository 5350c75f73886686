import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseRun } from '../config/parse.ts'
import type { RunConfig } from '../config/run-config.ts'
import { UserError } from '../errors.ts'
import { type ForwardCosts, forwardCosts } from '../evaluate/inspection.ts'
import type { MergeGap } from '../evaluate/merge-gap.ts'
import { methodFor } from '../evaluate/method-for.ts'
import type { Progress as Evaluating } from '../evaluate/progress.ts'
import { type State, trainedBesides } from '../evaluate/state.ts'
import { type WeightCounts, weightCounts } from '../evaluate/weight-counts.ts'
import { explained } from '../file-faults.ts'
import { holding, LOCK } from '../formats/folder-lock.ts'
import { readFields } from '../json-file.ts'
import { defaultRate } from '../methods/index.ts'
import { type Deployed, deployed, type Method } from '../nn/method.ts'
import { writeText } from '../weights/atomic-file.ts'
import { makeFolder } from '../weights/file-access.ts'
import { averagedParameters } from './average.ts'
import { bestFolder, readCheckpoint, stepFolder, writeCheckpoint } from './checkpoint.ts'
import { type Environment, environment } from './environment.ts'
import type { RunEvent, Sink } from './events.ts'
import { saveResult, scoreTest, writeMetrics } from './finish.ts'
import { type Evaluation, type Progress, startOfRun, trainLoop } from './loop.ts'
import { mergeEvents, scoreMerge } from './merge-check.ts'
import { sweepPrefixFiles } from './prefix/cache.ts'
import { type Prepared, prepare } from './prepare.ts'
import { rowCounts } from './row-counts.ts'
import { newestCheckpoint, type Saved, sweepRun } from './run-checkpoints.ts'
import { openRunLog } from './run-log.ts'
import type { SeedsSummary } from './seeds.ts'
import { modelFingerprint, sourceHashes } from './sources.ts'
import { meter, nothingSpent } from './spent.ts'
import { openTraining } from './training.ts'
import { textScoreNames } from './written-texts.ts'

/** What a finished or stopped run tells. */
export interface RunSummary {
  readonly out: string
  /** False where the run was stopped; it can be resumed. */
  readonly finished: boolean
  /** The evaluation whose state the adapter holds; null where it holds the last step. */
  readonly kept: Evaluation | null
  readonly weights: WeightCounts
  /** For rows of the training data's mean length. */
  readonly forwardFlops: ForwardCosts
  /** The kept evaluation's, then what the run took; empty where it was stopped. */
  readonly metrics: Readonly<Record<string, number>>
  /** What is kept scores so on the test rows. */
  readonly test?: Readonly<Record<string, number>>
  /** What merging the experts of a mixture did to its answers. */
  readonly merge?: MergeGap
  /** Of a run over several seeds, whose last the other fields describe. */
  readonly seeds?: SeedsSummary
}

export interface RunOptions {
  /** The run's folder; `out` of the config by default. */
  readonly out?: string | undefined
  readonly sinks?: readonly Sink[]
  /** Asked between updates; where true, the run writes a checkpoint and stops. */
  readonly stopRequested?: () => boolean
  /** Told of evaluations while they go on. */
  readonly evaluating?: Evaluating | undefined
  /** Told of what takes a while or was passed over. */
  readonly notice?: (text: string) => void
  /** Given what a run came to, once everything is saved and before it is let go. */
  readonly afterwards?: (finished: FinishedRun) => Promise<void>
}

/** A run at its end: what it read, and the models that answer, as kept and as left by the last update. */
export interface FinishedRun {
  readonly prepared: Prepared
  readonly kept: Deployed
  readonly last: Deployed
  readonly progress: Progress
}

const ENVIRONMENT = 'env.json'

/** For a process that is about to end, as a trial's is whose comparison was killed. */
const ENDING_MS = 5000

const writeJson = (folder: string, name: string, value: unknown): void =>
  writeText(join(folder, name), `${JSON.stringify(value, null, 2)}\n`)

/** The folder of a new run. Throws UserError where there is none, or it holds other files. */
export function freeFolder(config: RunConfig, options: RunOptions): string {
  const out = options.out ?? config.out
  if (!out) throw new UserError('The run has no folder: give "out" in the run file, or --out.')
  // A kill between the two files that start a run leaves the first of them, and the lock.
  const held = existsSync(out) ? explained(out, () => readdirSync(out)) : []
  if (held.some((name) => ![ENVIRONMENT, LOCK].includes(name))) {
    throw new UserError(`${out} is not empty. Go on with its run by --resume ${out}, or choose another folder with --out.`)
  }
  return out
}

/** Starts a run of one seed, as `train` of seeds.ts does. */
export async function train(config: RunConfig, options: RunOptions = {}): Promise<RunSummary> {
  const out = freeFolder(config, options)
  const prepared = await prepare(config, options.notice)
  const learningRate = config.train.learningRate ?? defaultRate(prepared.options)
  const complete: RunConfig = {
    ...config,
    method: prepared.options,
    out: null,
    // Rows of another file may have other columns of the task's.
    data: { ...config.data, ...prepared.reading, columns: config.data.columns },
    train: { ...prepared.train, learningRate, device: prepared.open.subject.model.device },
  }
  const found = environment(complete, prepared.open.subject.model)
  const begin = (): Promise<RunSummary> => {
    writeJson(out, ENVIRONMENT, found)
    writeJson(out, 'config.json', complete)
    return carryOn(out, complete, prepared, null, options)
  }
  return holding(out, begin, ENDING_MS)
}

/** Goes on with a run of one seed from its newest whole checkpoint. */
export async function resume(out: string, options: RunOptions = {}): Promise<RunSummary> {
  const file = join(out, 'config.json')
  if (!existsSync(file)) throw new UserError(`${out} holds no run: it has no config.json.`)
  const config = parseRun(readFields(file), file)
  const began = readFields(join(out, ENVIRONMENT)) as unknown as Partial<Environment>
  const sources = began.sources ?? {}
  for (const name of Object.keys(sources)) {
    if (!existsSync(name))
      throw new UserError(`${name}, a source of the run in ${out}, is not there; put it back, or resume in the folder where the run began.`)
  }
  const changed = (name: string): UserError => new UserError(`${name} has changed since the run in ${out} began; start a new run.`)
  for (const [name, hash] of Object.entries(sourceHashes(config))) if (sources[name] !== hash) throw changed(name)
  const goOn = async (): Promise<RunSummary> => {
    const { newest, torn } = newestCheckpoint(join(out, 'checkpoints'))
    for (const folder of torn) options.notice?.(`${folder} is damaged and was passed over.`)
    const prepared = await prepare(config, options.notice)
    if (began.model !== modelFingerprint(prepared.open.subject.model)) throw changed(config.model)
    return carryOn(out, config, prepared, newest, options)
  }
  return holding(out, goOn, ENDING_MS)
}

/** Trains from a checkpoint, or from the start, and saves the result. */
async function carryOn(
  out: string,
  config: RunConfig,
  prepared: Prepared,
  from: string | null,
  { sinks = [], stopRequested = () => false, notice, evaluating, afterwards }: RunOptions,
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
    const besides = trainedBesides(open.subject, open.outline, config.train.trainAlso)
    const countsOf = (method: Method): WeightCounts => weightCounts(open.outline, method, besides)
    const start = countsOf(methodFor(open.subject, open.outline, options, plan.totalSteps, prepared.memory))
    const { model, task } = config
    const begin: RunEvent = {
      event: 'run',
      ...{ model, task, method: options, totalSteps: plan.totalSteps, examples: prepared.examples.length, weights: start },
      memoryBytes: prepared.memoryBytes,
      ...rowCounts(prepared),
    }
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
    // AdaLoRA ends with other ranks than it starts with.
    const weights = { ...start, merged: countsOf(training.method).merged }
    const rows = prepared.examples
    const meanLength = Math.round(rows.reduce((sum, { ids }) => sum + ids.length, 0) / rows.length)
    const forwardFlops = forwardCosts(open.subject, training.method, 1, meanLength)
    if (!finished) return { out, finished, kept: progress.best, weights, forwardFlops, metrics: {} }
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
      ...weights,
      ...spent(),
    }
    const tested = test && { test }
    writeMetrics(out, { ...metrics, ...tested })
    emit({ event: 'done', ...metrics, ...tested })
    await afterwards?.({ prepared, kept: result, last: deployed(training.method, averagedParameters(training.state)), progress })
    return { out, finished, kept: best, weights, forwardFlops, metrics, ...tested, ...(merge && { merge }) }
  } finally {
    log.close()
    await training.close()
    if (progress.step === plan.totalSteps || progress.stoppedEarly) sweepPrefixFiles(out)
  }
}
