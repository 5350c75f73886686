import { backward } from '../autodiff/backward.ts'
import { type Looking, looking, type Subject } from '../evaluate/assembly.ts'
import { trainedIn } from '../evaluate/state.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { createGraph, input, output } from '../graph/graph.ts'
import { add, addAll, and, cast, isInf, isNan, mul, not, or } from '../graph/ops/elementwise.ts'
import { grouped } from '../grouped.ts'
import type { Objective } from '../heads/head.ts'
import { alikePasses } from '../lowering/alike-passes.ts'
import type { Method, Roles, Tensor } from '../nn/method.ts'
import type { Report, Trained } from '../nn/network.ts'
import type { Site } from '../nn/site.ts'
import { globalNorm } from '../optim/clip.ts'
import { madeAtOnce, remadeLayers } from './segments.ts'
import { type After, accumulated, type UpdateOptions, updateState } from './state-update.ts'

export interface StepGraphOptions extends UpdateOptions {
  readonly objective: Objective
  /** Micro-batches of one update. */
  readonly accumulate: number
  /** Micro-batches with more tokens are computed in chunks of about so many; null: all at once. */
  readonly tokensAtOnce: number | null
  readonly modelDropout: number | null
  /** So many layers at a time are made again in the backward pass, so that only what enters them is kept; null where all is kept. */
  readonly recompute: number | null
}

/** Whether an update takes several runs, so that its gradients add up. */
export const addsUp = ({ accumulate, tokensAtOnce }: Pick<StepGraphOptions, 'accumulate' | 'tokensAtOnce'>): boolean =>
  accumulate > 1 || tokensAtOnce !== null

/** A training step as a graph, forward, backward and update, or as two where an update takes several runs. */
export interface StepGraph {
  readonly assembly: Looking
  /** The graph as it is run: what is alike in all passes is made once. */
  readonly engine: Graph
  /** The update alone, of gradients that the other graph adds up; null where that makes it. */
  readonly update: Graph | null
  /** Tensors that are fed and updated in place, with their shapes. */
  readonly state: ReadonlyMap<string, readonly number[]>
  /** Whether nothing is made of a micro-batch as a whole, so that it may be computed in chunks. */
  readonly divisible: boolean
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

/** The loss of a micro-batch or chunk, without the method's penalty on parameters. */
function lossOf(subject: Subject, { network, seen, logitsOf, terms: added }: Looking, { objective, accumulate }: StepGraphOptions) {
  const { graph } = network
  const { head } = subject
  const parted = (objective.parts ?? 1) > 1 ? head.lossInParts?.(seen, logitsOf, objective) : undefined
  const { task, consistency } = parted ?? head.loss(network, logitsOf(seen), objective)
  const balance = added.length > 0 ? mul(addAll(added), 1 / accumulate) : null
  const terms = [
    task,
    ...(consistency ? [mul(consistency, input(graph, 'consistencyWeight', graph.float, []))] : []),
    ...(balance ? [balance] : []),
  ]
  return { loss: terms.reduce(add), told: { taskLoss: task, consistency, balance }, stretches: parted?.stretches ?? [] }
}

const valuesOf = (entries: readonly Trained[]): Value[] => entries.map(({ value }) => value)

/** Builds the step: the loss, gradients of what is learned, the state's update, and what is told of it. */
export function buildStepGraph(subject: Subject, trainedBase: ReadonlyMap<string, Tensor>, options: StepGraphOptions): StepGraph {
  const { method, recompute } = options
  const assembly = looking(subject, {
    method,
    training: true,
    modelDropout: options.modelDropout,
    trains: trainedIn(trainedBase),
  })
  const { graph } = assembly.network
  const state = new Map<string, readonly number[]>()
  const heldIn = (where: Graph, name: string, shape: readonly number[]): Value => {
    state.set(name, shape)
    return where.inputs.get(name) ?? input(where, name, where.float, shape)
  }

  const batch = lossOf(subject, assembly, options)
  // All parameters and sites are known only now: the pooler's and the head's are with the logits.
  for (const { name, shape } of assembly.trained.values()) state.set(name, shape)
  const learned = [...assembly.trained.values()].filter(({ spec }) => !spec?.frozen)

  // Where an update takes several runs, gradients add up in the state, and a graph of its own has the rest of it.
  const apart = addsUp(options) ? createGraph(graph.float) : null
  const last = apart ?? graph
  const updated = apart ? learned.map((entry) => ({ ...entry, value: heldIn(apart, entry.name, entry.shape) })) : learned
  const controls = apart
    ? Object.fromEntries((method.controls ?? []).map(({ name, dtype, shape }) => [name, input(apart, name, dtype, shape)]))
    : assembly.controls
  const sites = bySite(updated)
  const penalty = method.penalty?.(sites.map(({ site, entries }) => ({ site, roles: rolesOf(entries, ({ value }) => value) }))) ?? null
  const loss = penalty && !apart ? add(batch.loss, penalty) : batch.loss

  const segments = [...remadeLayers(assembly.layers(), recompute), ...madeAtOnce(batch.stretches)]
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
  const reported = meansOf(assembly.reports).map(({ site, signal, value }) => signalOutput(graph, site, signal, value))
  return {
    assembly,
    engine: alikePasses(graph, method.passes),
    update: apart,
    state,
    divisible: assembly.terms.length === 0 && reported.length === 0,
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
  controls: Looking['controls'],
  { observe }: Method,
): StepGraph['signals'] {
  if (!observe) return []
  return sites.flatMap(({ site, entries }) => {
    const roles = rolesOf(entries, (entry) => after.get(entry)!.value)
    const statistics = Object.fromEntries(entries.map((entry) => [entry.role!, after.get(entry)!.statistics]))
    return Object.entries(observe(site, { roles, statistics, controls })).map(([signal, value]) => signalOutput(graph, site, signal, value))
  })
}
