import type { Value } from '../graph/graph.ts'
import { input, output } from '../graph/graph.ts'
import { abs, and, greater, mul, where } from '../graph/ops/elementwise.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import type { Method, Statistics } from '../nn/method.ts'
import type { Trained } from '../nn/network.ts'
import { type AdamWOptions, adamw, type GatedScalars, gated } from '../optim/adamw.ts'
import { clipFactor, clipped } from '../optim/clip.ts'
import { stacksOf } from '../optim/stacks.ts'

type NameOf = (parameter: string) => string
/** State names of what the optimiser and the method keep beside a parameter. */
export const firstMoment: NameOf = (parameter) => `${parameter}@first`
export const secondMoment: NameOf = (parameter) => `${parameter}@second`
export const accumulated: NameOf = (parameter) => `${parameter}@sum`
const statisticOf =
  (statistic: string): NameOf =>
  (parameter) =>
    `${parameter}.${statistic}@buffer`

export interface UpdateOptions {
  readonly method: Method
  readonly adam: AdamWOptions
  /** What weight decay spares: nothing, or biases and norms. */
  readonly decay: 'all' | 'weights'
  readonly maxGradNorm: number | null
}

/** A learned tensor with its gradient, that of the whole update so far. */
export interface Learning {
  readonly entry: Trained
  readonly gradient: Value
}

/** What decides whether an update is made. */
export interface Deciding {
  /** Of all gradients together. */
  readonly norm: Value
  /** Whether that and all else that an update hangs on are numbers. */
  readonly finite: Value
}

/** A learned tensor after the update. */
export interface After {
  readonly value: Value
  readonly statistics: Statistics
}

/** True where a slice along axis 0 has a gradient: experts that no route of the step drew have none. */
function touched(gradient: Value): Value {
  const axes = gradient.shape.map((_, i) => i).slice(1)
  return greater(axes.length > 0 ? reduceSum(abs(gradient), { axes, keep: true }) : abs(gradient), 0)
}

/**
 * Updates what is learned and all that is kept beside it, in place: each output is written into the buffer of the input of its name, which
 * `held` declares. Every new value hangs on all gradients: where they are not finite the state keeps its bits, and the engine finishes all
 * reading before it writes. Rates are fed as `rate`, `stepSize` and `deviation` (`StepScalars`).
 */
export function updateState(
  learning: readonly Learning[],
  { norm, finite }: Deciding,
  held: (name: string, shape: readonly number[]) => Value,
  controls: Readonly<Record<string, Value>>,
  options: UpdateOptions,
): ReadonlyMap<Trained, After> {
  const { method, adam } = options
  /** How a tensor is updated: those of one way may be updated together. */
  const wayOf = ({ name, shape, site, spec }: Trained) => ({
    rate: spec?.rate ?? 1,
    weightDecay: options.decay === 'weights' && ((spec?.single ?? shape).length === 1 || name.endsWith('.bias')) ? 0 : adam.weightDecay,
    lazy: method.lazy && site !== null,
    statistics: spec?.statistics ?? [],
  })

  const { graph } = norm
  const factor = options.maxGradNorm === null ? null : clipFactor(norm, options.maxGradNorm)
  const scalars = {
    rate: input(graph, 'rate', graph.float, []),
    stepSize: input(graph, 'stepSize', graph.float, []),
    deviation: input(graph, 'deviation', graph.float, []),
  }
  const scalarsAt = (rate: number, gate: Value): GatedScalars => {
    const scaled = rate === 1 ? scalars : { ...scalars, rate: mul(scalars.rate, rate), stepSize: mul(scalars.stepSize, rate) }
    return gated(scaled, adam.betas, gate)
  }
  const usual = scalarsAt(1, finite)

  const after = new Map<Trained, After>()
  for (const { members, joined, apart } of stacksOf(
    learning,
    ({ entry }) => entry.shape,
    ({ entry }) => JSON.stringify(wayOf(entry)),
  )) {
    const { rate, weightDecay, lazy, statistics } = wayOf(members[0]!.entry)
    const heldAs = (nameOf: NameOf): Value => joined(({ entry }) => held(nameOf(entry.name), entry.shape))
    const write = (nameOf: NameOf, value: Value): readonly Value[] => {
      const parts = apart(value)
      for (const [i, { entry }] of members.entries()) output(graph, `${nameOf(entry.name)}=`, parts[i]!, nameOf(entry.name))
      return parts
    }
    const gradient = joined((member) => member.gradient)
    const step = clipped(gradient, factor)
    const old = { parameter: joined(({ entry }) => entry.value), first: heldAs(firstMoment), second: heldAs(secondMoment) }
    const now = rate === 1 && !lazy ? usual : scalarsAt(rate, lazy ? and(finite, touched(gradient)) : finite)
    const next = adamw(old, step, { ...adam, weightDecay }, now)
    const parts = write((name) => name, next.parameter)
    write(firstMoment, next.first)
    write(secondMoment, next.second)
    const kept = Object.fromEntries(statistics.map((name) => [name, heldAs(statisticOf(name))]))
    const updated = { parameter: next.parameter, gradient: step, statistics: kept, controls }
    const observed = statistics.length > 0 ? method.statistics!(updated) : {}
    const written = statistics.map((name) => [name, write(statisticOf(name), where(finite, observed[name]!, kept[name]!))] as const)
    for (const [i, { entry }] of members.entries())
      after.set(entry, { value: parts[i]!, statistics: Object.fromEntries(written.map(([name, each]) => [name, each[i]!])) })
  }
  return after
}
