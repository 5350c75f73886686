import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { add, mul } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { slice } from '../graph/ops/movement.ts'
import { type Method, type ParameterSpec, unmixed } from '../nn/method.ts'
import type { LinearSite, Site } from '../nn/site.ts'
import { leadingPart } from '../nn/tensor.ts'
import { attentionCoupling } from './coupling.ts'
import { defineMethod } from './definition.ts'
import { constants, uniform, zeros } from './initial.ts'
import { lowRankIncrement } from './low-rank.ts'
import { resolveTargets, targetOptions } from './targets.ts'

export const veraOptions = z.strictObject({
  name: z.literal('vera'),
  r: z.number().int().positive('must be at least 1').default(256).describe('rank'),
  dropout: z.number().min(0).lt(1).default(0).describe('of the input of A, in training'),
  ...targetOptions,
  initial: z.number().default(0.1).describe('where λ_d starts'),
})
export type VeraOptions = z.infer<typeof veraOptions>

/** The first rows of a value, or its first columns. */
const first = (x: Value, axis: 0 | 1, size: number): Value => (x.shape[axis] === size ? x : slice(x, axis, 0, size, size))

/** Kaiming-uniform for ReLU, as PEFT draws the projections; `[outer, inner]`. */
const projection = (outer: number, inner: number): ParameterSpec => ({
  shape: [outer, inner],
  init: uniform([outer, inner], Math.sqrt(6 / inner)),
  frozen: true,
})

/**
 * VeRA (Kopiczko et al. 2024): `W x + b + λ_b ∘ B (λ_d ∘ A dropout(x))`. A `[r, largest in]` and B `[largest out, r]` are random,
 * fixed and common to all modules, which take the columns and rows that they need; λ_d `[r]` and λ_b `[out]` are learned, λ_b from zero.
 */
export const vera = defineMethod<VeraOptions>({
  name: 'vera',
  summary: 'scales of random projections that all modules share (Kopiczko et al. 2024)',
  options: veraOptions,
  // Ours.
  learningRate: 4e-3,
  size: ({ r }) => `r ${r}`,
  create({ r, dropout, initial, ...places }, { sites, layers }): Method {
    const targets = resolveTargets(places, sites, layers)
    const acts = (site: Site): site is LinearSite => site.kind === 'linear' && targets.has(site.name)
    const modules = sites.filter(acts)
    const [width, height] = [Math.max(...modules.map((site) => site.in)), Math.max(...modules.map((site) => site.out))]
    return {
      name: 'vera',
      ...unmixed,
      parameters(site): Record<string, ParameterSpec> {
        if (site.kind === 'model') return { 'A.weight': projection(r, width), 'B.weight': projection(height, r) }
        if (!acts(site)) return {}
        return { 'd.weight': { shape: [r], init: constants([r], initial) }, 'b.weight': { shape: [site.out], init: zeros([site.out]) } }
      },
      model: (_site, roles) => roles,
      linear(site, roles, call) {
        const { input, base, shared } = call
        if (!acts(site)) return base(input)
        const [a, b] = [first(shared['A.weight']!, 1, site.in), first(shared['B.weight']!, 0, site.out)]
        const inner = mul(gemm(call.dropout(input, dropout), a, null, { transposeB: true }), roles['d.weight']!)
        return add(base(input), mul(gemm(inner, b, null, { transposeB: true }), roles['b.weight']!))
      },
      trains: () => false,
      fold(site, roles, { weight, bias }, shared) {
        const a = leadingPart(shared['A.weight']!, [r, site.in])
        const b = leadingPart(shared['B.weight']!, [site.out, r])
        const [outer, inner] = [roles['b.weight']!.data, roles['d.weight']!.data]
        const scaled = { ...b, data: b.data.map((value, i) => value * outer[Math.floor(i / r)]! * inner[i % r]!) }
        const increment = lowRankIncrement({ a, b: scaled, scale: 1 })
        return { weight: weight.map((value, i) => value + increment[i]!), bias }
      },
      coupling: attentionCoupling,
      shared: ['b'],
    }
  },
})
