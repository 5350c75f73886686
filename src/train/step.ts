import type { Example } from '../data/examples.ts'
import { UserError } from '../errors.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import type { Subject } from '../evaluate/assembly.ts'
import { openEngine } from '../evaluate/engine.ts'
import type { State } from '../evaluate/state.ts'
import { batchSizes, streamFeeds } from '../evaluate/stream-feeds.ts'
import { flopCounter } from '../graph/flops.ts'
import { consistencyWeight } from '../nn/consistency.ts'
import { elementCount } from '../nn/tensor.ts'
import { liveNodes } from '../onnx/live.ts'
import type { Feeds, SessionOptions } from '../runtime/session.ts'
import { chunksOf } from './chunks.ts'
import { dropoutFeeds } from './dropout-feeds.ts'
import type { PrefixCache } from './prefix/cache.ts'
import { accumulated } from './state-update.ts'
import { buildStepGraph, type StepGraphOptions } from './step-graph.ts'

/** What one update reports. `loss` is what was differentiated, `gradNorm` is before clipping. */
export interface StepResult {
  readonly loss: number
  readonly taskLoss: number
  readonly penalty: number
  /** Terms that keep the experts of a mixture in use. */
  readonly balance: number
  readonly consistency: number
  readonly gradNorm: number
  readonly tokens: number
  /** Floating-point operations of the matrix products. */
  readonly flops: number
  /** Whether loss and gradients are finite; where not, nothing was updated. */
  readonly finite: boolean
  /** By site, then by name. */
  readonly signals: ReadonlyMap<string, Readonly<Record<string, Float32Array>>>
}

/** A compiled training step that updates a state in place. */
export interface Step {
  run(
    microBatches: readonly (readonly Example[])[],
    moment: { readonly seed: number; readonly step: number },
    learningRate: number,
  ): Promise<StepResult>
  /** Operations besides those of the updates, to make once what they have alike. */
  readonly prefixFlops: number
  close(): Promise<void>
}

export interface StepOptions extends StepGraphOptions, Omit<SessionOptions, 'device'> {
  /** Holds what comes before all that training changes, where that is not to be computed at each step. */
  readonly prefixCache?: PrefixCache | null
}

/**
 * Compiles the step for the shapes in `state` and adds what the optimiser and the method keep, at zero, where it is not there yet.
 * The arrays in `state` are written by each run.
 */
export async function openStep(subject: Subject, state: State, options: StepOptions): Promise<Step> {
  const graph = buildStepGraph(subject, state, options)
  const { masks } = graph
  for (const [name, shape] of graph.state) {
    if (!state.has(name)) state.set(name, { shape, data: new Float32Array(elementCount(shape)) })
  }
  const { method, objective, adam, tokensAtOnce, prepack } = options
  const engineOptions = {
    ...(options.threads !== undefined && { threads: options.threads }),
    ...(options.profile !== undefined && { profile: options.profile }),
  }
  const cached = options.prefixCache?.open(graph.engine, method)
  const engine = cached?.rest ?? graph.engine
  const session = await openEngine(subject.model, engine, { ...engineOptions, ...(prepack !== undefined && { prepack }) })
  const update = graph.update && (await openEngine(subject.model, graph.update, engineOptions))
  const sums = [...graph.state.keys()].filter((name) => name.endsWith(accumulated('')))
  const arranged = arrangement(subject, method)
  const flopsOf = flopCounter(liveNodes(engine))
  const updateFlops = graph.update ? flopCounter(liveNodes(graph.update))({}) : 0

  return {
    async run(microBatches, { seed, step }, learningRate) {
      const batches = microBatches.flatMap((given, microBatch) =>
        chunksOf(given, tokensAtOnce, arranged, objective.passes).map((examples, chunk) => {
          const rows = arranged.rows(examples)
          const batch = arranged.batch(rows, objective.passes)
          return {
            examples,
            batch,
            targets: subject.head.targets(rows, batch, objective),
            moment: { seed, step, microBatch, chunk, rows: batch.rows },
          }
        }),
      )
      const total = (of: 'weight' | 'count'): Feeds[string] => ({
        data: Float32Array.of(batches.reduce((sum, { targets }) => sum + targets[of], 0)),
        shape: [],
      })
      if (total('weight').data[0] === 0) {
        const [first] = microBatches.flat()
        throw new UserError(
          `No target of update ${step + 1} counts (rows from ${first?.file}:${first?.line}): all are ignored or of weight 0. ` +
            'Leave such rows out, raise train.batchSize, or give no class the weight 0 in train.classWeights.',
        )
      }
      const number = (value: number): Feeds[string] => ({ data: Float32Array.of(value), shape: [] })
      const t = step + 1
      const shared: Record<string, Feeds[string]> = {
        lossDivisor: total('weight'),
        targetCount: total('count'),
        rate: number(learningRate),
        stepSize: number(learningRate / (1 - adam.betas[0] ** t)),
        deviation: number(Math.sqrt(1 - adam.betas[1] ** t)),
        ...(objective.consistency && { consistencyWeight: number(consistencyWeight(objective.consistency, step)) }),
      }
      for (const name of graph.state.keys()) shared[name] = state.get(name)!
      const told = { loss: 0, taskLoss: 0, balance: 0, consistency: 0 }
      let results: Feeds = {}
      try {
        for (const { examples, batch, targets, moment } of batches) {
          results = await session.run({
            ...shared,
            ...streamFeeds(batch),
            ...(await cached?.feeds(examples)),
            ...targets.feeds,
            ...dropoutFeeds(masks, { ...batchSizes(batch), ...targets.sizes }, moment),
            ...method.feed?.(moment),
          })
          for (const term of Object.keys(told) as (keyof typeof told)[]) told[term] += results[term]?.data[0] ?? 0
          if (!Number.isFinite(told.loss)) break
        }
        if (update && Number.isFinite(told.loss)) {
          results = { ...results, ...(await update.run({ ...shared, ...method.feed?.(batches.at(-1)!.moment) })) }
          told.loss += results.penalty?.data[0] ?? 0
        }
      } finally {
        for (const name of sums) state.get(name)!.data.fill(0)
      }
      const finite = results.finite?.data[0] === 1
      const signals = new Map<string, Record<string, Float32Array>>()
      if (finite) {
        for (const { site, signal, output } of graph.signals)
          signals.set(site, { ...signals.get(site), [signal]: results[output]!.data as Float32Array })
      }
      const tokens = batches.reduce((sum, { batch }) => sum + batch.tokens + (batch.decoder?.tokens ?? 0), 0)
      const flops = batches.reduce((sum, { batch, targets }) => sum + flopsOf({ ...batchSizes(batch), ...targets.sizes }), updateFlops)
      const [penalty, gradNorm] = ['penalty', 'gradNorm'].map((name) => results[name]?.data[0])
      return { ...told, penalty: penalty ?? 0, gradNorm: gradNorm ?? Number.NaN, tokens, flops, finite, signals }
    },
    prefixFlops: cached?.flops ?? 0,
    close: async () => {
      await Promise.all([session.close(), update?.close()])
    },
  }
}
