import { mean } from '../../metrics/moments.ts'
import { count, digits, flops } from '../../track/numbers.ts'
import type { ArmResults, Summary } from '../summary.ts'
import { textOf } from '../summary-tables.ts'
import type { TrialResult } from '../trial-result.ts'
import { type ChartPoint, chart, type Series } from './chart.ts'
import type { Drawing } from './drawing.ts'

/** Points of a curve; more than a drawing of this width shows. */
const MOST = 160

/** The mean of some numbers by place in stretches of the whole, `MOST` of them at most. */
function thinned(points: readonly ChartPoint[]): ChartPoint[] {
  const size = Math.ceil(points.length / MOST)
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) => {
    const part = points.slice(i * size, (i + 1) * size)
    return { x: mean(part.map(({ x }) => x)), y: mean(part.map(({ y }) => y)) }
  })
}

/** How curves of several seeds are one. */
const overSeeds = ([first]: readonly ArmResults[]): string => ((first?.results.length ?? 1) > 1 ? ', mean over seeds' : '')

/** A point of a curve by the update that it belongs to. */
interface AtStep extends ChartPoint {
  readonly step: number
}

/** The means over several curves at the updates that all of them have. */
function averaged(curves: readonly (readonly AtStep[])[]): ChartPoint[] {
  const byStep = curves.map((curve) => new Map(curve.map((point) => [point.step, point])))
  return [...(byStep[0]?.keys() ?? [])].flatMap((step) => {
    const points = byStep.flatMap((curve) => curve.get(step) ?? [])
    return points.length === curves.length ? [{ x: mean(points.map(({ x }) => x)), y: mean(points.map(({ y }) => y)) }] : []
  })
}

const series = (all: readonly ArmResults[], points: (result: TrialResult) => AtStep[]): Series[] =>
  all.map(({ arm, results }) => ({ name: arm.name, points: averaged(results.map(points)) }))

/** The metric against the weights that are left at the end; arms that differ in size alone are joined. */
export function metricAgainstWeights(summary: Summary): Drawing | null {
  const { metric: name, by, level, arms, plain } = summary
  const groups = [...new Set(arms.map(({ point, name: own }) => (plain ? point[plain.axis] : undefined) ?? own))]
  const points = (group: string): ChartPoint[] =>
    arms
      .filter(({ point, name: own }) => ((plain ? point[plain.axis] : undefined) ?? own) === group)
      .map((arm) => ({ x: arm.took.merged + arm.took.head, y: arm[by].mean, ...arm[by].interval }))
      .sort((a, b) => a.x - b.x)
  return chart(
    groups.map((group) => ({ name: group, points: points(group) })),
    {
      title: `${name} (${by}) against weights, head included, with ${100 * level} % intervals`,
      x: { title: 'weights at the end', text: short, logarithmic: true },
      y: { title: name, text: textOf(summary) },
      marks: true,
    },
  )
}

/** `20k`, `1.5M`. */
const short = (value: number): string => {
  const [unit, of] = value >= 1e6 ? ['M', 1e6] : value >= 1e3 ? ['k', 1e3] : ['', 1]
  return `${Number((value / Number(of)).toPrecision(3))}${unit}`
}

/** The metric on evaluation rows by update. */
export const metricCurves = (summary: Summary, all: readonly ArmResults[]): Drawing | null =>
  chart(
    series(all, ({ evaluations }) => evaluations.map(({ step, metrics }) => ({ step, x: step, y: metrics[summary.metric] ?? Number.NaN }))),
    {
      title: `${summary.metric} on evaluation rows${overSeeds(all)}`,
      x: { title: 'updates', text: count },
      y: { title: summary.metric, text: textOf(summary) },
      marks: true,
    },
  )

/** The same by the operations that training had taken. */
export const metricByFlops = (summary: Summary, all: readonly ArmResults[]): Drawing | null =>
  chart(
    series(all, ({ evaluations }) =>
      evaluations.map((each) => ({ step: each.step, x: each.flops, y: each.metrics[summary.metric] ?? Number.NaN })),
    ),
    {
      title: `${summary.metric} on evaluation rows against operations of training`,
      x: { title: 'operations', text: flops },
      y: { title: summary.metric, text: textOf(summary) },
      marks: true,
    },
  )

/** The loss that was trained, by update. */
export const lossCurves = (all: readonly ArmResults[]): Drawing | null =>
  chart(
    series(all, ({ losses }) => losses.map(({ step, loss }) => ({ step, x: step, y: loss }))).map(({ name, points }) => ({
      name,
      points: points.length === 0 ? [] : thinned(points),
    })),
    {
      title: `training loss${overSeeds(all)}`,
      x: { title: 'updates', text: count },
      y: { title: 'loss', text: digits },
    },
  )

/** How much each expert of a mixture was used, by update. */
export const routingUse = (title: string, { routes }: TrialResult): Drawing | null =>
  chart(
    (routes[0]?.shares ?? []).map((_, expert) => ({
      name: `expert ${expert}`,
      points: routes.map(({ step, shares }) => ({ x: step, y: shares[expert]! })),
    })),
    { title, x: { title: 'updates', text: count }, y: { title: 'share', text: digits } },
  )
