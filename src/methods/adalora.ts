import { z } from 'zod'
import { triplets } from '../allocation/components.ts'
import { mul } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { type Method, type ParameterSpec, type Tensor, unmixed } from '../nn/method.ts'
import type { LinearSite, Site } from '../nn/site.ts'
import { allocated } from './allocated.ts'
import { allocationOptions, initialRank } from './allocation-options.ts'
import { budgetOption } from './budget-option.ts'
import { attentionCoupling } from './coupling.ts'
import { defineMethod } from './definition.ts'
import { normal, zeros } from './initial.ts'
import { lowRank } from './low-rank.ts'
import { distanceFromOrthogonal, orthogonality } from './orthogonality.ts'
import { resolveTargets, targetOptions, targetsOption } from './targets.ts'

export const adaloraOptions = z.strictObject({
  name: z.literal('adalora'),
  initR: z.number().int().positive('must be at least 1').default(12).describe('rank of every module at the start'),
  targetR: z.number().int().positive('must be at least 1').default(8).describe('mean rank at the end, below `initR`'),
  alpha: z.number().nonnegative().default(16).describe('scale, over `initR`; 0 stands for `initR`'),
  dropout: z.number().min(0).lt(1).default(0).describe('of the input of A, in training'),
  budget: budgetOption,
  ...targetOptions,
  targets: targetsOption('all-linear'),
  ...allocationOptions,
  orthogonality: z
    .number()
    .nonnegative()
    .default(0.1)
    .describe("weight of the regulariser; PEFT has 0.5, the authors' scripts 0.1 and 0.3"),
  shrink: z.enum(['final', 'never']).default('final').describe('cut the tensors at the last allocation, or never, as PEFT'),
})
export type AdaLoraOptions = z.infer<typeof adaloraOptions>

/** The scale of the increment: α / (initR + 1e-5), whatever ranks remain; α = 0 stands for initR, as in the references. */
export const adaloraScale = ({ alpha, initR }: AdaLoraOptions): number => (alpha > 0 ? alpha : initR) / (initR + 1e-5)

/** How far singular vectors are from orthonormal: the largest `‖A Aᵀ - I‖_F` and `‖Bᵀ B - I‖_F` of all modules. */
const deviation = (modules: readonly Readonly<Record<string, Tensor>>[]) => {
  const largest = (role: string, axis: 0 | 1): number =>
    Math.max(0, ...modules.map((factors) => (factors[role] ? distanceFromOrthogonal(factors[role], axis) : 0)))
  return { deviation: { A: largest('A.weight', 0), B: largest('B.weight', 1) } }
}

/** The SVD form at each module's rank, nothing allocated. */
function singularValues(options: AdaLoraOptions, acts: (site: Site) => site is LinearSite, rankOf: (name: string) => number): Method {
  const scale = adaloraScale(options)
  return {
    name: 'adalora',
    ...unmixed,
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
      return gemm(inner, roles['B.weight']!, base(input), { transposeB: true, alpha: scale })
    },
    trains: () => false,
    ...lowRank((_site, roles) => {
      const [b, e] = [roles['B.weight']!, roles['E.weight']!.data]
      const scaled = { shape: b.shape, data: b.data.map((value, i) => value * e[i % e.length]!) }
      return { a: roles['A.weight']!, b: scaled, scale, singular: e }
    }),
    coupling: attentionCoupling,
    shared: ['E', 'B'],
    ...(options.orthogonality > 0 && {
      penalty: (all) =>
        orthogonality(
          all.map(({ roles }) => roles).filter((roles) => 'E.weight' in roles),
          options.orthogonality,
        ),
    }),
  }
}

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
  // What is remembered holds the ranks that a file told.
  plain: ({ options, memory }) => ({ options: { ...options, ranks: null }, memory }),
  size: ({ initR, targetR }) => `initR ${initR} targetR ${targetR}`,
  resize: (options, targetR) => ({ ...options, targetR, initR: initialRank(options, targetR), budget: null }),
  create(options, setting): Method {
    const targets = resolveTargets(options, setting.sites, setting.layers)
    const acts = (site: Site): site is LinearSite => site.kind === 'linear' && targets.has(site.name)
    const form = {
      modules: setting.sites.filter(acts),
      components: triplets,
      initial: { named: 'initR', rankOf: () => options.initR },
      method: (rankOf: (name: string) => number) => singularValues(options, acts, rankOf),
      shrink: options.shrink === 'final',
      report: deviation,
    }
    return allocated(form, options, setting)
  },
})
