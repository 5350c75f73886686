import { z } from 'zod'
import { gemm } from '../graph/ops/matmul.ts'
import type { Method, ParameterSpec } from '../nn/method.ts'
import type { LinearSite, Site } from '../nn/site.ts'
import { budgetOption } from './budget-option.ts'
import { attentionCoupling } from './coupling.ts'
import { defineMethod } from './definition.ts'
import { kaimingUniform, zeros } from './initial.ts'
import { lowRank } from './low-rank.ts'
import { resolveTargets, targetOptions } from './targets.ts'

export const loraOptions = z.strictObject({
  name: z.literal('lora'),
  r: z.number().int().positive('must be at least 1').default(8),
  alpha: z.number().positive().default(16),
  dropout: z.number().min(0).lt(1).default(0),
  budget: budgetOption,
  ...targetOptions,
  bias: z.enum(['none', 'all', 'lora_only']).default('none'),
  rslora: z.boolean().default(false),
  /** Other ranks and alphas for modules whose name matches a key, by PEFT's rule. */
  rankPattern: z.record(z.string(), z.number().int().positive()).default({}),
  alphaPattern: z.record(z.string(), z.number().positive()).default({}),
})
export type LoraOptions = z.infer<typeof loraOptions>

/** PEFT's rule for patterns: the first key that, as an expression, matches the end of the module name after a dot. */
function patterned(pattern: Readonly<Record<string, number>>, name: string, otherwise: number): number {
  const key = Object.keys(pattern).find((text) => new RegExp(`(^|.*\\.)(${text})$`).test(name))
  return key === undefined ? otherwise : pattern[key]!
}

/** Rank and scaling of a module: α/r, or α/√r with rank stabilisation (Kalajdzievski 2023). */
export function loraScale(options: LoraOptions, name: string): { rank: number; scale: number } {
  const rank = patterned(options.rankPattern, name, options.r)
  const alpha = patterned(options.alphaPattern, name, options.alpha)
  return { rank, scale: options.rslora ? alpha / Math.sqrt(rank) : alpha / rank }
}

/** LoRA (Hu et al. 2022): `W x + b + s B A dropout(x)` with A `[r, in]` and B `[out, r]`, B zero at the start. */
export const lora = defineMethod<LoraOptions>({
  name: 'lora',
  summary: 'low-rank increments (Hu et al. 2022)',
  options: loraOptions,
  learningRate: 5e-4,
  form: ({ alpha, rslora, alphaPattern }) => ({ alpha, rslora, alphaPattern }),
  resize: (options, r) => ({ ...options, r, budget: null }),
  create(options, { sites, layers }): Method {
    const targets = resolveTargets(options, sites, layers)
    const acts = (site: Site): site is LinearSite => site.kind === 'linear' && targets.has(site.name)
    return {
      name: 'lora',
      passes: 1,
      consistency: 0,
      lazy: false,
      parameters(site): Record<string, ParameterSpec> {
        if (!acts(site)) return {}
        const { rank } = loraScale(options, site.name)
        const [a, b] = [[rank, site.in] as const, [site.out, rank] as const]
        return { 'A.weight': { shape: a, init: kaimingUniform(a) }, 'B.weight': { shape: b, init: zeros(b) } }
      },
      linear(site, roles, { input, base, dropout }) {
        const { scale } = loraScale(options, site.name)
        const inner = gemm(dropout(input, options.dropout), roles['A.weight']!, null, { transposeB: true })
        return gemm(inner, roles['B.weight']!, base(input), { transposeB: true, alpha: scale })
      },
      trains: ({ name }) =>
        name.endsWith('.bias') && (options.bias === 'all' || (options.bias === 'lora_only' && targets.has(name.slice(0, -'.bias'.length)))),
      ...lowRank((site, roles) => ({ a: roles['A.weight']!, b: roles['B.weight']!, scale: loraScale(options, site.name).scale })),
      coupling: attentionCoupling,
      shared: ['B'],
    }
  },
})
