import type { RunConfig } from '../config/run-config.ts'
import { examplesIn } from '../data/examples.ts'
import { type Forward, openForward } from '../evaluate/forward.ts'
import { methodFor } from '../evaluate/method-for.ts'
import type { Progress } from '../evaluate/progress.ts'
import type { State } from '../evaluate/state.ts'
import { deployed, type Method, type MethodEvent } from '../nn/method.ts'
import { learningRateAt } from '../optim/schedule.ts'
import { regrouped } from '../tasks/answered.ts'
import { averagedParameters, enterAverage, entersAverage, restartAverage } from './average.ts'
import { logitParts, mostPlaces } from './logit-parts.ts'
import { MOST_IN_MEMORY, openPrefixCache } from './prefix/cache.ts'
import type { Prepared } from './prepare.ts'
import { reshapeState } from './reshape.ts'
import { openStep, type Step, type StepResult } from './step.ts'
import { stepOptions, tokensAtOnce } from './step-options.ts'
import { scoreWritten } from './written-texts.ts'

/** A model in training: the state, and what changes and judges it. */
export interface Training {
  readonly state: State
  readonly memory: unknown
  readonly method: Method
  /** Operations besides those of the updates, to make once what they have alike. */
  readonly prefixFlops: number
  learningRate(step: number): number
  /** Makes update `step`, counted from 0, and lets the method decide on it and tell of it; nothing changes where the result is not finite. */
  advance(step: number): Promise<{ readonly result: StepResult; readonly events: readonly MethodEvent[] }>
  /** Metrics of the deployed state, averaged where the run says so, on the evaluation rows. */
  evaluate(): Promise<Record<string, number>>
  close(): Promise<void>
}

/** Opens a run's training; `folder` takes what is too large to be held in memory, and `progress` is told of evaluations. */
export async function openTraining(
  prepared: Prepared,
  config: RunConfig,
  state: State,
  remembered: unknown,
  folder: string | null = null,
  progress?: Progress,
): Promise<Training> {
  const { train } = config
  const { open, options, plan, evaluation, texts } = prepared
  const { subject, outline, task, labels } = open
  const parts = logitParts(subject, mostPlaces(subject, methodFor(subject, outline, options), prepared.examples, train))
  const threads = train.threads === null ? {} : { threads: train.threads }
  const rows = { examples: prepared.examples, batchSize: train.batchSize, tokensAtOnce: tokensAtOnce(train) }
  const cached = { ...rows, folder, mostInMemory: MOST_IN_MEMORY, ...threads }
  const prefixCache = train.cachePrefix === true ? openPrefixCache(subject, cached) : null
  let memory = remembered
  let method!: Method
  let step!: Step
  let forward: Forward | null = null
  /** What is to be closed, once each. */
  const graphs: (Step | Forward)[] = []

  /** Builds the graphs for the shapes that the state has now. */
  const build = async (): Promise<void> => {
    method = methodFor(subject, outline, options, plan.totalSteps, memory)
    step = await openStep(subject, state, { ...stepOptions(method, parts, train), prepack: train.packed, prefixCache, ...threads })
    graphs.push(step)
  }
  const closeGraphs = async (): Promise<void> => {
    forward = null
    for (const graph of graphs.splice(0)) await graph.close()
  }
  const settings = { ...train, learningRate: train.learningRate!, warmupSteps: plan.warmupSteps, totalSteps: plan.totalSteps }
  const learningRate = (at: number): number => learningRateAt(at, settings)
  await build()

  return {
    state,
    get memory() {
      return memory
    },
    get method() {
      return method
    },
    get prefixFlops() {
      return step.prefixFlops
    },
    learningRate,
    async advance(at) {
      const result = await step.run(plan.microBatches(at), { seed: train.seed, step: at }, learningRate(at))
      const decision = result.finite ? (method.control?.(at, result.signals, state, memory) ?? null) : null
      if (decision && 'memory' in decision) memory = decision.memory
      if (decision?.reshape) {
        await closeGraphs()
        reshapeState(state, decision.reshape)
        await build()
      }
      if (decision?.reshape || decision?.event) restartAverage(state)
      if (result.finite && train.average && entersAverage(train.average, plan, at + 1)) enterAverage(train.average, state)
      const told = result.finite ? (method.events?.(at, result.signals) ?? []) : []
      return { result, events: [...(decision?.event ? [decision.event] : []), ...told] }
    },
    async evaluate() {
      const model = deployed(method, averagedParameters(state))
      if (!forward) {
        forward = await openForward(subject, model.method, model.state, { batchSize: train.evalBatchSize, progress, ...threads })
        graphs.push(forward)
      }
      const logits = await forward.logits(examplesIn(evaluation!), model.state)
      const scores = await scoreWritten(config, open, model, texts.evaluation, progress)
      return { ...task.metrics(regrouped(evaluation!, logits), labels), ...scores }
    },
    async close() {
      await closeGraphs()
      prefixCache?.close()
    },
  }
}
