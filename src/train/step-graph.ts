import { backward } from '../autodiff/backward.ts'
import type { Subject } from '../evaluate/assembly.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { createGraph, input, output } from '../graph/graph.ts'
import { add, addAll, and, cast, isInf, isNan, mul, not, or } from '../graph/ops/elementwise.ts'
import { grouped } from '../grouped.ts'
import { alikePasses } from '../lowering/alike-passes.ts'
import type { Method, Roles, Tensor } from '../nn/method.ts'
import type { Report, Trained } from '../nn/network.ts'
import type { Site } from '../nn/site.ts'
import { globalNorm } from '../optim/clip.ts'
import { buildLossGraph, type LossGraph, type LossGraphOptions } from './loss-graph.ts'
import { madeAtOnce, remadeLayers } from './segments.ts'
import { type After, accumulated, type UpdateOptions, updateState } from './state-update.ts'

export interface StepGraphOptions extends UpdateOptions, LossGraphOptions {
  /** Micro-batches with more tokens are computed in chunks of about so many; null: all at once. */
  readonly tokensAtOnce: number | null
  /** So many layers at a time are made again in the backward pass, so that only what enters them is kept; null where all is kept. */
  readonly recompute: number | null
}

/** Whether an update takes several runs, so that its gradients add up. */
export const addsUp = ({ accumulate, tokensAtOnce }: Pick<StepGraphOptions, 'accumulate' | 'tokensAtOnce'>): boolean =>
  accumulate > 1 || tokensAtOnce !== null

/** A training step as a graph, forward, backward and update, or as two where an update takes several runs. */
export interface StepGraph {
  /** Forward and backward, and the update where it is not apart. */
  readonly graph: Graph
  /** The graph as it is run: what is alike in all passes is made once. */
  readonly engine: Graph
  /** The update alone, of gradients that the other graph adds up; null where that makes it. */
  readonly update: Graph | null
  /** Tensors that are fed and updated in place, with their shapes. */
  readonly state: ReadonlyMap<string, readonly number[]>
  /** Whether nothing is made of a micro-batch as a whole, so that it may be computed in chunks. */
  readonly divisible: boolean
  readonly masks: LossGraph['masks']
  /** Outputs that the method's `control` reads: site, signal, output name. */
  readonly signals: readonly { readonly site: string; readonly signal: string; readonly output: string }[]
}

const allFinite = (x: Value): Value => not(or(isNan(x), isInf(x)))

/** Learned parameters grouped by the site they act at. */
function bySite(trained: Iterable<Trained>): { site: Site; entries: Trained[] }[] {
  const learned = [...trained].filter(({ site, spec }) => site && !spec?.frozen)
  return [...grouped(learned, ({ site }) => site!)].map(([site, entries]) => ({ site, entries }))
}

const rolesOf = (entries: readonly Trained[], value: (entry: Trained) => Value): Roles =>
  Object.fromEntries(entries.map((entry) => [entry.role!, value(entry)]))

const valuesOf = (entries: readonly Trained[]): Value[] => entries.map(({ value }) => value)

/** Builds the step: the loss, gradients of what is learned, the state's update, and what is told of it. */
export function buildStepGraph(subject: Subject, trainedBase: ReadonlyMap<string, Tensor>, options: StepGraphOptions): StepGraph {
  const { method, recompute } = options
  const batch = buildLossGraph(subject, trainedBase, options)
  const { graph } = batch
  const state = new Map(batch.trained.map(({ name, shape }) => [name, shape]))
  const heldIn = (where: Graph, name: string, shape: readonly number[]): Value => {
    state.set(name, shape)
    return where.inputs.get(name) ?? input(where, name, where.float, shape)
  }

  const learned = batch.trained.filter(({ spec }) => !spec?.frozen)

  // Where an update takes several runs, gradients add up in the state, and a graph of its own has the rest of it.
  const apart = addsUp(options) ? createGraph(graph.float) : null
  const last = apart ?? graph
  const updated = apart ? learned.map((entry) => ({ ...entry, value: heldIn(apart, entry.name, entry.shape) })) : learned
  const controls = apart
    ? Object.fromEntries((method.controls ?? []).map(({ name, dtype, shape }) => [name, input(apart, name, dtype, shape)]))
    : batch.controls
  const sites = bySite(updated)
  const penalty = method.penalty?.(sites.map(({ site, entries }) => ({ site, roles: rolesOf(entries, ({ value }) => value) }))) ?? null
  const loss = penalty && !apart ? add(batch.loss, penalty) : batch.loss

  const segments = [...remadeLayers(batch.layers, recompute), ...madeAtOnce(batch.parts)]
  const raw = backward(loss, valuesOf(learned), segments)
  const emitted = new Map(graph.nodes.flatMap((node, i) => node.outputs.map((value) => [value, i] as const)))
  const ofPenalty = penalty && apart ? backward(penalty, valuesOf(updated)) : []
  const summed = ({ name: parameter, shape }: Trained, more: Value, besides: Value | null | undefined): Value => {
    if (!apart) return more
    const name = accumulated(parameter)
    output(graph, `${name}=`, add(heldIn(graph, name, shape), more), name)
    const sum = heldIn(apart, name, shape)
    return besides ? add(sum, besides) : sum
  }
  const learning = updated
    .flatMap((entry, i) => (raw[i] ? [{ entry, raw: raw[i], besides: ofPenalty[i] }] : []))
    .sort((a, b) => emitted.get(a.raw)! - emitted.get(b.raw)!)
    .map(({ entry, raw, besides }) => ({ entry, gradient: summed(entry, raw, besides) }))

  const norm = globalNorm(learning.map(({ gradient }) => gradient))
  // The host has the loss before it makes an update apart.
  const finite = [norm, ...(apart ? (penalty ? [penalty] : []) : [loss])].map(allFinite).reduce(and)
  const after = updateState(learning, { norm, finite }, (name, shape) => heldIn(last, name, shape), controls, options)
  const signals = observeSites(last, sites, after, controls, method)
  const tell = (where: Graph, told: Readonly<Record<string, Value | null>>): void => {
    for (const [name, value] of Object.entries(told)) if (value) output(where, name, value)
  }
  tell(graph, { loss, ...batch.told })
  tell(last, { penalty, gradNorm: norm, finite: cast(finite, last.float) })
  const reported = meansOf(batch.reports).map(({ site, signal, value }) => signalOutput(graph, site, signal, value))
  return {
    graph,
    engine: alikePasses(graph, method.passes),
    update: apart,
    state,
    divisible: batch.divisible,
    masks: batch.masks,
    signals: [...signals, ...reported],
  }
}

/** One report of a signal at a site: the mean of those of its calls, where a site has several. */
function meansOf(reports: readonly Report[]): Report[] {
  const groups = grouped(reports, ({ site, signal }) => `${site.name}#${signal}`)
  return [...groups.values()].map((group) => ({ ...group[0]!, value: mul(addAll(group.map(({ value }) => value)), 1 / group.length) }))
}

/** Makes a signal an output. */
function signalOutput(graph: Graph, { name: site }: Site, signal: string, value: Value): StepGraph['signals'][number] {
  const name = `${site}#${signal}`
  output(graph, name, value)
  return { site, signal, output: name }
}

/** What an update left at a site, as the method reads it for the host. */
function observeSites(
  graph: Graph,
  sites: readonly { site: Site; entries: readonly Trained[] }[],
  after: ReadonlyMap<Trained, After>,
  controls: LossGraph['controls'],
  { observe }: Method,
): StepGraph['signals'] {
  if (!observe) return []
  return sites.flatMap(({ site, entries }) => {
    const roles = rolesOf(entries, (entry) => after.get(entry)!.value)
    const statistics = Object.fromEntries(entries.map((entry) => [entry.role!, after.get(entry)!.statistics]))
    return Object.entries(observe(site, { roles, statistics, controls })).map(([signal, value]) => signalOutput(graph, site, signal, value))
  })
}
