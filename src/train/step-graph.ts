import { backward } from '../autodiff/backward.ts'
import { type Looking, looking, type Subject } from '../evaluate/assembly.ts'
import { trainedIn } from '../evaluate/state.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { input, output } from '../graph/graph.ts'
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

export interface StepGraphOptions extends Omit<UpdateOptions, 'sums'> {
  readonly objective: Objective
  /** Micro-batches of one update. */
  readonly accumulate: number
  /** Micro-batches with more tokens are computed in chunks of about so many; null: all at once. */
  readonly tokensAtOnce: number | null
  readonly modelDropout: number | null
  /** So many layers at a time are made again in the backward pass, so that only what enters them is kept; null where all is kept. */
  readonly recompute: number | null
}

/** A training step as one graph: forward, backward and update. */
export interface StepGraph {
  readonly assembly: Looking
  /** The graph as it is run: what is alike in all passes is made once. */
  readonly engine: Graph
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

/** Builds the step: the loss of a micro-batch, gradients of what is learned, the state's update, and what is told of it. */
export function buildStepGraph(subject: Subject, trainedBase: ReadonlyMap<string, Tensor>, options: StepGraphOptions): StepGraph {
  const { method, objective, accumulate } = options
  const sums = accumulate > 1 || options.tokensAtOnce !== null
  const assembly = looking(subject, {
    method,
    training: true,
    modelDropout: options.modelDropout,
    trains: trainedIn(trainedBase),
  })
  const { network, seen, logitsOf } = assembly
  const { graph } = network
  const state = new Map<string, readonly number[]>()
  const held = (name: string, shape: readonly number[]): Value => {
    state.set(name, shape)
    return graph.inputs.get(name) ?? input(graph, name, graph.float, shape)
  }

  const apply = input(graph, 'apply', 'bool', [])
  const { head } = subject
  const parted = (objective.parts ?? 1) > 1 ? head.lossInParts?.(seen, logitsOf, objective) : undefined
  const terms = parted ?? head.loss(network, logitsOf(seen), objective)
  // All sites are open only now: the pooler's and the head's are with the logits.
  const sites = bySite(assembly.trained.values())
  const penalty = method.penalty?.(sites.map(({ site, entries }) => ({ site, roles: rolesOf(entries, ({ value }) => value) }))) ?? null
  const balance = assembly.terms.length > 0 ? mul(addAll(assembly.terms), 1 / accumulate) : null
  const parts = [
    terms.task,
    ...(terms.consistency ? [mul(terms.consistency, input(graph, 'consistencyWeight', graph.float, []))] : []),
    ...(penalty ? [mul(penalty, cast(apply, graph.float))] : []),
    ...(balance ? [balance] : []),
  ]
  const loss = parts.reduce(add)

  for (const { name, shape } of assembly.trained.values()) state.set(name, shape)
  const all = [...assembly.trained.values()].filter(({ spec }) => !spec?.frozen)
  const found = backward(
    loss,
    all.map(({ value }) => value),
    [...remadeLayers(assembly.layers(), options.recompute), ...madeAtOnce(parted?.stretches ?? [])],
  )
  const emitted = new Map(graph.nodes.flatMap((node, i) => node.outputs.map((value) => [value, i] as const)))
  const learning = all
    .flatMap((entry, i) => (found[i] ? [{ entry, raw: found[i] }] : []))
    .sort((a, b) => emitted.get(a.raw)! - emitted.get(b.raw)!)
    .map(({ entry, raw }) => ({ entry, gradient: sums ? add(held(accumulated(entry.name), entry.shape), raw) : raw }))

  const norm = globalNorm(learning.map(({ gradient }) => gradient))
  const finite = and(allFinite(norm), allFinite(loss))
  const after = updateState(learning, { norm, finite, apply }, held, assembly.controls, { ...options, sums })
  const signals = observeSites(graph, sites, after, assembly, method)
  const report = {
    loss,
    taskLoss: terms.task,
    penalty,
    balance,
    consistency: terms.consistency,
    gradNorm: norm,
    finite: cast(finite, graph.float),
  }
  for (const [name, value] of Object.entries(report)) if (value) output(graph, name, value)
  const reported = meansOf(assembly.reports).map(({ site, signal, value }) => signalOutput(graph, site, signal, value))
  const divisible = assembly.terms.length === 0 && reported.length === 0
  return { assembly, engine: alikePasses(graph, method.passes), state, divisible, signals: [...signals, ...reported] }
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
  { controls }: Looking,
  { observe }: Method,
): StepGraph['signals'] {
  if (!observe) return []
  return sites.flatMap(({ site, entries }) => {
    const roles = rolesOf(entries, (entry) => after.get(entry)!.value)
    const statistics = Object.fromEntries(entries.map((entry) => [entry.role!, after.get(entry)!.statistics]))
    return Object.entries(observe(site, { roles, statistics, controls })).map(([signal, value]) => signalOutput(graph, site, signal, value))
  })
}
