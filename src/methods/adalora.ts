import { z } from 'zod'
import type { BudgetSettings } from '../allocation/schedule.ts'
import { importance } from '../allocation/score.ts'
import { UserError } from '../errors.ts'
import type { Value } from '../graph/graph.ts'
import { add, mul, where } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { reshape } from '../graph/ops/movement.ts'
import { reduceMean } from '../graph/ops/reduction.ts'
import { type FedControl, type Method, type ParameterSpec, parameterName } from '../nn/method.ts'
import type { LinearSite, Site } from '../nn/site.ts'
import { type AdaLoraMemory, allocate, freshMemory, lastAllocation } from './adalora-allocator.ts'
import { budgetOption } from './budget-option.ts'
import { attentionCoupling } from './coupling.ts'
import { defineMethod } from './definition.ts'
import { normal, zeros } from './initial.ts'
import { lowRank } from './low-rank.ts'
import { orthogonality } from './orthogonality.ts'
import { resolveTargets, targetOptions } from './targets.ts'

const duration = z.number().nonnegative()

export const adaloraOptions = z.strictObject({
  name: z.literal('adalora'),
  initR: z.number().int().positive('must be at least 1').default(12),
  targetR: z.number().int().positive('must be at least 1').default(8),
  alpha: z.number().nonnegative().default(16),
  dropout: z.number().min(0).lt(1).default(0),
  budget: budgetOption,
  ...targetOptions,
  targets: targetOptions.targets.default('all-linear'),
  /** Updates before the budget falls and after it has fallen; below 1 as fractions of all updates. */
  tInit: duration.default(0.15),
  tFinal: duration.default(0.45),
  deltaT: z.number().int().positive().default(10),
  beta1: z.number().gt(0).lt(1).default(0.85),
  beta2: z.number().gt(0).lt(1).default(0.85),
  orthogonality: z.number().nonnegative().default(0.1),
  shrink: z.enum(['final', 'never']).default('final'),
})
export type AdaLoraOptions = z.infer<typeof adaloraOptions>

const steps = (time: number, total: number): number => (time > 0 && time < 1 ? Math.round(time * total) : Math.round(time))

/** The times of a run in updates; a schedule without a budgeting phase is an error. */
export function budgetTimes({ tInit, tFinal }: AdaLoraOptions, totalSteps: number): { tInit: number; tFinal: number } {
  const times = { tInit: steps(tInit, totalSteps), tFinal: steps(tFinal, totalSteps) }
  if (times.tInit >= totalSteps - times.tFinal) {
    throw new UserError(
      `AdaLoRA has no budgeting phase: tInit ${times.tInit} and tFinal ${times.tFinal} fill all ${totalSteps} updates. ` +
        'Train longer, or lower tInit and tFinal.',
    )
  }
  return times
}

/** The scale of the increment: α / (initR + 1e-5), whatever ranks remain; α = 0 stands for initR, as in the references. */
export const adaloraScale = ({ alpha, initR }: AdaLoraOptions): number => (alpha > 0 ? alpha : initR) / (initR + 1e-5)

/**
 * AdaLoRA (Zhang et al. 2023): `W x + c B (A ∘ E) dropout(x)` with A `[r, in]`, E `[r, 1]`, B `[out, r]`, E zero at the start.
 * The allocator zeroes singular values in E's state, never in the graph, so that they can grow back.
 */
export const adalora = defineMethod<AdaLoraOptions>({
  name: 'adalora',
  summary: 'low-rank increments that share a budget of ranks (Zhang et al. 2023)',
  options: adaloraOptions,
  learningRate: 1e-3,
  form: ({ alpha, initR }) => ({ alpha, initR }),
  // The paper starts at one and a half times the final rank.
  resize: (options, targetR) => ({ ...options, targetR, initR: Math.ceil(targetR * 1.5), budget: null }),
  create(options, { sites, layers, totalSteps, memory: remembered }): Method {
    const { initR, targetR } = options
    /** Decides the shapes; what changes without them is handed to `control`. */
    const memory = (remembered ?? freshMemory) as AdaLoraMemory
    if (totalSteps !== null && !memory.shrunk && targetR >= initR)
      throw new UserError(`AdaLoRA prunes from initR to targetR: targetR ${targetR} must be below initR ${initR}.`)
    const targets = resolveTargets(options, sites, layers)
    const acts = (site: Site): site is LinearSite => site.kind === 'linear' && targets.has(site.name)
    const modules = sites.filter(acts)
    const keptOf = (name: string): number => memory.kept![name]!.filter(Boolean).length
    const rankOf = (name: string): number => (memory.shrunk ? keptOf(name) : initR)
    const settings = (): BudgetSettings => {
      if (totalSteps === null) throw new Error('a budget needs the number of updates')
      const initial = initR * modules.length
      return { initial, target: targetR * modules.length, deltaT: options.deltaT, totalSteps, ...budgetTimes(options, totalSteps) }
    }
    if (totalSteps !== null && !memory.shrunk) settings()
    return {
      name: 'adalora',
      passes: 1,
      consistency: 0,
      lazy: false,
      parameters(site): Record<string, ParameterSpec> {
        if (!acts(site)) return {}
        const rank = rankOf(site.name)
        if (rank === 0) return {}
        const shapes = { a: [rank, site.in], e: [rank, 1], b: [site.out, rank] }
        return {
          'A.weight': { shape: shapes.a, init: normal(shapes.a, 0.02) },
          'E.weight': { shape: shapes.e, init: zeros(shapes.e) },
          'B.weight': { shape: shapes.b, init: normal(shapes.b, 0.02) },
        }
      },
      linear(_site, roles, { input, base, dropout }) {
        const scaled = mul(roles['A.weight']!, roles['E.weight']!)
        const inner = gemm(dropout(input, options.dropout), scaled, null, { transposeB: true })
        return gemm(inner, roles['B.weight']!, base(input), { transposeB: true, alpha: adaloraScale(options) })
      },
      trains: () => false,
      ...lowRank((_site, roles) => {
        const [b, e] = [roles['B.weight']!, roles['E.weight']!.data]
        const scaled = { shape: b.shape, data: b.data.map((value, i) => value * e[i % e.length]!) }
        return { a: roles['A.weight']!, b: scaled, scale: adaloraScale(options) }
      }),
      coupling: attentionCoupling,
      shared: ['E', 'B'],
      penalty: (all) =>
        orthogonality(
          all.map(({ roles }) => roles).filter((roles) => 'E.weight' in roles),
          options.orthogonality,
        ),
      controls: memory.shrunk ? [] : [{ name: 'adalora.observing', dtype: 'bool', shape: [] }],
      feed({ step }): Record<string, FedControl> {
        if (memory.shrunk) return {}
        const { totalSteps: total, tFinal } = settings()
        return { 'adalora.observing': { data: Uint8Array.of(step < total - tFinal ? 1 : 0), shape: [] } }
      },
      buffers(site): Record<string, readonly number[]> {
        if (!acts(site) || memory.shrunk) return {}
        const shapes = { 'A.weight': [initR, site.in], 'E.weight': [initR, 1], 'B.weight': [site.out, initR] }
        return Object.fromEntries(
          Object.entries(shapes).flatMap(([role, shape]) => importance.buffers.map((name) => [`${role}.${name}`, shape])),
        )
      },
      observe(_site, { after, gradients, buffers, controls }) {
        const observing = controls['adalora.observing']!
        const kept: Record<string, Value> = {}
        const scoreOf = (role: string): Value => {
          const old = Object.fromEntries(importance.buffers.map((name) => [name, buffers[`${role}.${name}`]!]))
          const updated = importance.update(after[role]!, gradients[role]!, old, options)
          const now = Object.fromEntries(Object.entries(updated).map(([name, value]) => [name, where(observing, value, old[name]!)]))
          for (const [name, value] of Object.entries(now)) kept[`${role}.${name}`] = value
          return importance.score(now)
        }
        const [a, e, b] = ['A.weight', 'E.weight', 'B.weight'].map(scoreOf)
        const factors = add(reduceMean(a!, { axes: [1] }), reduceMean(b!, { axes: [0] }))
        return { buffers: kept, signals: { score: add(factors, reshape(e!, [initR])) } }
      },
      control(step, signals, state, past) {
        const now = (past ?? freshMemory) as AdaLoraMemory
        const seen = modules.flatMap((site) => {
          const [values, scores] = [state.get(parameterName(site, 'E.weight'))?.data, signals.get(site.name)?.score]
          return values && scores ? [{ site, scores, values }] : []
        })
        return now.shrunk ? null : allocate(step, seen, now, settings(), options.shrink === 'final')
      },
      remains: memory.shrunk ? 1 : targetR / initR,
      settled: (step) => memory.shrunk || step > lastAllocation(settings()),
    }
  },
})
