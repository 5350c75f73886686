import { backward } from '../autodiff/backward.ts'
import { type Looking, looking, type Subject } from '../evaluate/assembly.ts'
import { trainedIn } from '../evaluate/state.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { input, output } from '../graph/graph.ts'
import { abs, add, addAll, and, cast, greater, isInf, isNan, mul, not, or, where } from '../graph/ops/elementwise.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import type { Objective } from '../heads/head.ts'
import { alikePasses } from '../lowering/alike-passes.ts'
import type { Method, Roles, Tensor } from '../nn/method.ts'
import type { Report, Trained } from '../nn/network.ts'
import type { Site } from '../nn/site.ts'
import { type AdamWOptions, adamw, type StepScalars } from '../optim/adamw.ts'
import { clipFactor, clipped, globalNorm } from '../optim/clip.ts'
import { madeAtOnce, remadeLayers } from './segments.ts'

export interface StepGraphOptions {
  readonly method: Method
  readonly objective: Objective
  readonly adam: AdamWOptions
  /** What weight decay spares: nothing, or biases and norms. */
  readonly decay: 'all' | 'weights'
  readonly maxGradNorm: number | null
  /** Micro-batches of one update. */
  readonly accumulate: number
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
  /** Outputs that the method's `control` reads: site, signal, output name. */
  readonly signals: readonly { readonly site: string; readonly signal: string; readonly output: string }[]
}

/** State names of what the optimiser and the method keep beside a parameter. */
export const firstMoment = (parameter: string): string => `${parameter}@first`
export const secondMoment = (parameter: string): string => `${parameter}@second`
export const accumulated = (parameter: string): string => `${parameter}@sum`
const bufferName = (site: Site, buffer: string): string => `${site.name}.${buffer}@buffer`

const allFinite = (x: Value): Value => not(or(isNan(x), isInf(x)))

/** True where a slice along axis 0 has a gradient: experts that no route of the step drew have none. */
function touched(gradient: Value): Value {
  const axes = gradient.shape.map((_, i) => i).slice(1)
  return greater(axes.length > 0 ? reduceSum(abs(gradient), { axes, keep: true }) : abs(gradient), 0)
}

/** Learned parameters grouped by the site they act at. */
function bySite(trained: Iterable<Trained>): { site: Site; entries: Trained[] }[] {
  const groups = new Map<Site, Trained[]>()
  for (const entry of trained) {
    if (entry.site && !entry.spec?.frozen) groups.set(entry.site, [...(groups.get(entry.site) ?? []), entry])
  }
  return [...groups].map(([site, entries]) => ({ site, entries }))
}

const rolesOf = (entries: readonly Trained[], value: (entry: Trained) => Value): Roles =>
  Object.fromEntries(entries.map((entry) => [entry.role!, value(entry)]))

/**
 * Builds the step. Every new value of the state is `ok ? new : old`, where `ok` needs all gradients and the loss:
 * it stops a step with NaN before anything is written, and it makes the engine finish all reading before it writes.
 */
export function buildStepGraph(subject: Subject, trainedBase: ReadonlyMap<string, Tensor>, options: StepGraphOptions): StepGraph {
  const { method, objective, adam } = options
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
    return input(graph, name, graph.float, shape)
  }

  const apply = input(graph, 'apply', 'bool', [])
  const { head } = subject
  const parted = (objective.parts ?? 1) > 1 ? head.lossInParts?.(seen, logitsOf, objective) : undefined
  const terms = parted ?? head.loss(network, logitsOf(seen), objective)
  // All sites are open only now: the pooler's and the head's are with the logits.
  const sites = bySite(assembly.trained.values())
  const penalty = method.penalty?.(sites.map(({ site, entries }) => ({ site, roles: rolesOf(entries, ({ value }) => value) }))) ?? null
  const balance = assembly.terms.length > 0 ? mul(addAll(assembly.terms), 1 / options.accumulate) : null
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
    .map(({ entry, raw }) => ({ entry, gradient: options.accumulate === 1 ? raw : add(held(accumulated(entry.name), entry.shape), raw) }))

  const norm = globalNorm(learning.map(({ gradient }) => gradient))
  const finite = and(allFinite(norm), allFinite(loss))
  const ok = and(finite, apply)
  const factor = options.maxGradNorm === null ? null : clipFactor(norm, options.maxGradNorm)
  const scalars = {
    rate: input(graph, 'rate', graph.float, []),
    stepSize: input(graph, 'stepSize', graph.float, []),
    deviation: input(graph, 'deviation', graph.float, []),
  }
  const scaled = new Map([[1, scalars]])
  const scalarsAt = (rate: number): StepScalars => {
    if (!scaled.has(rate)) scaled.set(rate, { ...scalars, rate: mul(scalars.rate, rate), stepSize: mul(scalars.stepSize, rate) })
    return scaled.get(rate)!
  }
  const write = (name: string, value: Value, old: Value, gate: Value): Value => {
    const next = where(gate, value, old)
    output(graph, `${name}=`, next, name)
    return next
  }

  const after = new Map<Trained, { value: Value; gradient: Value }>()
  for (const { entry, gradient } of learning) {
    const { name, shape, value } = entry
    const step = clipped(gradient, factor)
    const old = { parameter: value, first: held(firstMoment(name), shape), second: held(secondMoment(name), shape) }
    const spared = options.decay === 'weights' && (shape.length === 1 || name.endsWith('.bias'))
    const next = adamw(old, step, spared ? { ...adam, weightDecay: 0 } : adam, scalarsAt(entry.spec?.rate ?? 1))
    const gate = method.lazy && entry.site ? and(ok, touched(gradient)) : ok
    after.set(entry, { value: write(name, next.parameter, value, gate), gradient: step })
    write(firstMoment(name), next.first, old.first, gate)
    write(secondMoment(name), next.second, old.second, gate)
    if (options.accumulate > 1) write(accumulated(name), where(apply, 0, gradient), graph.inputs.get(accumulated(name))!, finite)
  }

  const signals = observeSites(graph, sites, after, assembly, method, held, (name, value, old) => write(name, value, old, ok))
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
  return { assembly, engine: alikePasses(graph, method.passes), state, signals: [...signals, ...reported] }
}

/** One report of a signal at a site: the mean of those of its calls, where a site has several. */
function meansOf(reports: readonly Report[]): Report[] {
  const groups = new Map<string, Report[]>()
  for (const report of reports) {
    const name = `${report.site.name}#${report.signal}`
    groups.set(name, [...(groups.get(name) ?? []), report])
  }
  return [...groups.values()].map((group) => ({ ...group[0]!, value: mul(addAll(group.map(({ value }) => value)), 1 / group.length) }))
}

/** Makes a signal an output. */
function signalOutput(graph: Graph, { name: site }: Site, signal: string, value: Value): StepGraph['signals'][number] {
  const name = `${site}#${signal}`
  output(graph, name, value)
  return { site, signal, output: name }
}

function observeSites(
  graph: Graph,
  sites: readonly { site: Site; entries: readonly Trained[] }[],
  after: ReadonlyMap<Trained, { value: Value; gradient: Value }>,
  { controls }: Looking,
  method: Method,
  held: (name: string, shape: readonly number[]) => Value,
  write: (name: string, value: Value, old: Value) => void,
): StepGraph['signals'] {
  const signals: StepGraph['signals'][number][] = []
  for (const { site, entries } of sites) {
    if (!method.observe) break
    const shapes = Object.entries(method.buffers?.(site) ?? {})
    const buffers = Object.fromEntries(shapes.map(([buffer, shape]) => [buffer, held(bufferName(site, buffer), shape)]))
    const observed = method.observe(site, {
      before: rolesOf(entries, ({ value }) => value),
      after: rolesOf(entries, (entry) => after.get(entry)!.value),
      gradients: rolesOf(entries, (entry) => after.get(entry)!.gradient),
      buffers,
      controls,
    })
    for (const [buffer, value] of Object.entries(observed.buffers)) write(bufferName(site, buffer), value, buffers[buffer]!)
    for (const [signal, value] of Object.entries(observed.signals)) signals.push(signalOutput(graph, site, signal, value))
  }
  return signals
}
