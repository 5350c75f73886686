import { z } from 'zod'
import { doubletMasks, doublets } from '../allocation/components.ts'
import { UserError } from '../errors.ts'
import { gemm } from '../graph/ops/matmul.ts'
import type { Method, ParameterSpec } from '../nn/method.ts'
import type { LinearSite, Site } from '../nn/site.ts'
import { allocated } from './allocated.ts'
import { allocationOptions, initialRank } from './allocation-options.ts'
import type { AllocationMemory } from './allocator.ts'
import { budgetOption } from './budget-option.ts'
import { attentionCoupling } from './coupling.ts'
import { defineMethod } from './definition.ts'
import { kaimingUniform, zeros } from './initial.ts'
import { lowRank } from './low-rank.ts'
import { resolveTargets, targetOptions } from './targets.ts'

/** A budget of ranks for plain LoRA, pruned by what its doublets are worth (the pruned LoRA of Zhang et al. 2023, section 4.4). */
const pruneOption = z.strictObject({
  targetR: z.number().int().positive('must be at least 1'),
  ...allocationOptions,
  /** What masking a doublet sets to zero. */
  zeroes: z.enum(Object.keys(doubletMasks) as [keyof typeof doubletMasks]).default('doublet'),
})

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
  prune: pruneOption.nullable().default(null),
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

/** Ordinary LoRA of what is kept: these ranks, and alphas that leave every scale as it was. */
function pruned(options: LoraOptions, kept: NonNullable<AllocationMemory['kept']>): LoraOptions {
  const ranks = Object.entries(kept).map(([name, stays]) => ({ name, rank: stays.filter(Boolean).length }))
  const left = ranks.filter(({ rank }) => rank > 0)
  if (left.length === 0) throw new UserError('Nothing is left of LoRA: all its doublets scored the same, and ties fall together.')
  const alphaOf = (name: string, rank: number): number => loraScale(options, name).scale * (options.rslora ? Math.sqrt(rank) : rank)
  return {
    ...options,
    prune: null,
    // PEFT has no LoRA of rank 0.
    exclude: [...options.exclude, ...ranks.flatMap(({ name, rank }) => (rank === 0 ? [name] : []))],
    rankPattern: Object.fromEntries(left.map(({ name, rank }) => [name, rank])),
    alphaPattern: Object.fromEntries(left.map(({ name, rank }) => [name, alphaOf(name, rank)])),
  }
}

/**
 * LoRA (Hu et al. 2022): `W x + b + s B A dropout(x)` with A `[r, in]` and B `[out, r]`, B zero at the start. With `prune` its ranks
 * fall to a budget as AdaLoRA's do; s stays what it was at the initial rank, and what is left is saved as ordinary LoRA.
 */
export const lora = defineMethod<LoraOptions>({
  name: 'lora',
  summary: 'low-rank increments (Hu et al. 2022)',
  options: loraOptions,
  learningRate: 5e-4,
  form: ({ alpha, rslora, alphaPattern }) => ({ alpha, rslora, alphaPattern }),
  plain({ options, memory }) {
    const kept = options.prune && (memory as AllocationMemory | null)?.kept
    return kept ? { options: pruned(options, kept), memory: null } : { options: { ...options, prune: null }, memory }
  },
  resize: (options, r) => ({
    ...options,
    budget: null,
    r: options.prune ? initialRank(options.prune, r) : r,
    prune: options.prune && { ...options.prune, targetR: r },
  }),
  create(options, setting): Method {
    const { prune } = options
    const targets = resolveTargets(options, setting.sites, setting.layers)
    const acts = (site: Site): site is LinearSite => site.kind === 'linear' && targets.has(site.name)
    const initial = { named: 'r', rankOf: (name: string): number => loraScale(options, name).rank }
    const method = (rankOf: (name: string) => number): Method => ({
      name: 'lora',
      passes: 1,
      consistency: null,
      lazy: false,
      parameters(site): Record<string, ParameterSpec> {
        const rank = acts(site) ? rankOf(site.name) : 0
        if (!acts(site) || rank === 0) return {}
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
    })
    if (!prune) return method(initial.rankOf)
    if (options.bias === 'lora_only')
      throw new UserError('A module that is pruned to rank 0 would lose its bias, too: with "prune", set bias to none or all.')
    const modules = setting.sites.filter(acts)
    return allocated({ modules, components: doublets(prune.zeroes), initial, method, shrink: true }, prune, setting)
  },
})
