import { z } from 'zod'
import { doubletMasks, doublets } from '../allocation/components.ts'
import { UserError } from '../errors.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { type Method, type ParameterSpec, parameterName, type Tensor, unmixed } from '../nn/method.ts'
import type { LinearSite, Site } from '../nn/site.ts'
import { linearNames, readLinear } from '../nn/stored-linear.ts'
import { allocated } from './allocated.ts'
import { allocationOptions, initialRank } from './allocation-options.ts'
import type { AllocationMemory } from './allocator.ts'
import { budgetOption } from './budget-option.ts'
import { attentionCoupling } from './coupling.ts'
import { defineMethod, type Setting } from './definition.ts'
import { doraProduct, foldMagnitudes, rowNorms } from './dora.ts'
import { A, A0, B, B0, joined, MAGNITUDE, without } from './lora-factors.ts'
import { loraStart, loraStarts, takesOver } from './lora-start.ts'
import { lowRank } from './low-rank.ts'
import { expression, resolveTargets, targetOptions } from './targets.ts'

/** A budget of ranks for plain LoRA, pruned by what its doublets are worth (the pruned LoRA of Zhang et al. 2023, section 4.4). */
const pruneOption = z.strictObject({
  targetR: z.number().int().positive('must be at least 1').describe('mean rank at the end'),
  ...allocationOptions,
  zeroes: z
    .enum(Object.keys(doubletMasks) as [keyof typeof doubletMasks])
    .default('doublet')
    .describe('what of a pair is set to zero where it falls: both of it, or its column of B'),
})

export const loraOptions = z.strictObject({
  name: z.literal('lora'),
  r: z.number().int().positive('must be at least 1').default(8).describe('rank'),
  alpha: z.number().positive().default(16).describe('scale, over the rank, so that another `r` hardly asks for another rate'),
  dropout: z.number().min(0).lt(1).default(0).describe('of the input of A, in training; 0.05 to 0.1 for few examples'),
  budget: budgetOption,
  ...targetOptions,
  bias: z.enum(['none', 'all', 'lora_only']).default('none').describe('biases trained besides: none, all, or those of the targets'),
  rslora: z.boolean().default(false).describe('`s = alpha / √r` (Kalajdzievski 2023), for large ranks'),
  rankPattern: z.record(z.string(), z.number().int().positive()).default({}).describe('another `r` for module names that a key matches'),
  alphaPattern: z.record(z.string(), z.number().positive()).default({}).describe('another `alpha`, likewise'),
  prune: pruneOption.nullable().default(null).describe('give out ranks as AdaLoRA does'),
  dora: z.boolean().default(false).describe('learn the lengths of the rows of W apart from their directions'),
  loraPlus: z.number().positive().default(1).describe("the learning rate of B in multiples of A's"),
  init: z.enum(loraStarts).default('default').describe('where A and B start'),
})
export type LoraOptions = z.infer<typeof loraOptions>

/** PEFT's rule for patterns: the first key that, as an expression, matches the end of the module name after a dot. */
function patterned(options: LoraOptions, setting: 'rankPattern' | 'alphaPattern', name: string, otherwise: number): number {
  const pattern = options[setting]
  const key = Object.keys(pattern).find((text) => expression(setting, text, `(^|.*\\.)(${text})$`).test(name))
  return key === undefined ? otherwise : pattern[key]!
}

/** Rank and scaling of a module: α/r, or α/√r with rank stabilisation (Kalajdzievski 2023). */
export function loraScale(options: LoraOptions, name: string): { rank: number; scale: number } {
  const rank = patterned(options, 'rankPattern', name, options.r)
  const alpha = patterned(options, 'alphaPattern', name, options.alpha)
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
 * The options of an ordinary LoRA that computes the same: where the start took over `s B₀ A₀` from the base model, `s (B A - B₀ A₀)`
 * has twice the rank.
 */
function ordinary(options: LoraOptions): LoraOptions {
  if (!takesOver(options.init)) return options
  const kept = options.rslora ? Math.SQRT2 : 2
  const times = (pattern: Readonly<Record<string, number>>, factor: number): Record<string, number> =>
    Object.fromEntries(Object.entries(pattern).map(([name, value]) => [name, factor * value]))
  return {
    ...options,
    init: 'default',
    r: 2 * options.r,
    alpha: kept * options.alpha,
    rankPattern: times(options.rankPattern, 2),
    alphaPattern: times(options.alphaPattern, kept),
  }
}

/** LoRA at given ranks; a module of rank 0 is left alone. */
function ofRanks(options: LoraOptions, setting: Setting, rankOf: (module: string) => number): Method {
  const { sites, layers, tensor } = setting
  const targets = resolveTargets(options, sites, layers)
  const acts = (site: Site): site is LinearSite => site.kind === 'linear' && targets.has(site.name)
  const fixed = takesOver(options.init)
  const startOf = (site: LinearSite) =>
    loraStart(options.init, site, { ...loraScale(options, site.name), rank: rankOf(site.name) }, setting)
  const starts = new Map(sites.filter(acts).map((site) => [site.name, startOf(site)]))
  const product = lowRank((site, roles) => ({ a: roles[A]!, b: roles[B]!, scale: loraScale(options, site.name).scale }))
  const magnitude = (site: LinearSite): ParameterSpec => ({
    shape: [site.out],
    init() {
      const stored = linearNames(site).weight
      const weight = tensor(stored)
      if (!weight) throw new UserError(`lora: dora starts from the model's weights, and it has no "${stored}".`)
      return rowNorms(site, readLinear(site, weight.data, null).weight)
    },
  })
  const method: Method = {
    name: 'lora',
    ...unmixed,
    parameters(site): Record<string, ParameterSpec> {
      const rank = acts(site) ? rankOf(site.name) : 0
      if (!acts(site) || rank === 0) return {}
      const start = starts.get(site.name)!
      const [a, b] = [
        { shape: [rank, site.in], init: start.a },
        { shape: [site.out, rank], init: start.b },
      ]
      return {
        [A]: a,
        [B]: { ...b, rate: options.loraPlus },
        ...(fixed && { [A0]: { ...a, frozen: true }, [B0]: { ...b, frozen: true } }),
        ...(options.dora && { [MAGNITUDE]: magnitude(site) }),
      }
    },
    linear(site, roles, given) {
      const { scale } = loraScale(options, site.name)
      const call = fixed ? without(roles, scale, given) : given
      const [a, b, dropped] = [roles[A]!, roles[B]!, call.dropout(call.input, options.dropout)]
      if (options.dora) return doraProduct(call, { a, b, scale }, roles[MAGNITUDE]!, dropped)
      return gemm(gemm(dropped, a, null, { transposeB: true }), b, call.base(call.input), { transposeB: true, alpha: scale })
    },
    trains: ({ name }) =>
      name.endsWith('.bias') && (options.bias === 'all' || (options.bias === 'lora_only' && targets.has(name.slice(0, -'.bias'.length)))),
    coupling: attentionCoupling,
    shared: ['B'],
  }
  if (fixed) {
    const plain = create(ordinary(options), setting)
    return {
      ...method,
      deploy(state) {
        const result = new Map(state)
        for (const site of sites.filter(acts)) {
          const of = (role: string): Tensor | undefined => state.get(parameterName(site, role))
          for (const role of [A0, B0]) result.delete(parameterName(site, role))
          if (!of(A)) continue
          for (const [role, value] of Object.entries(joined((name) => of(name)!))) result.set(parameterName(site, role), value)
        }
        return { method: plain, state: result }
      },
    }
  }
  if (!options.dora) return { ...method, ...product }
  return { ...method, fold: (site, roles, base) => foldMagnitudes(site, base, product.increment(site, roles), roles[MAGNITUDE]!.data) }
}

function create(options: LoraOptions, setting: Setting): Method {
  const { prune, bias, dora, init } = options
  const rankOf = (name: string): number => loraScale(options, name).rank
  if (!prune) return ofRanks(options, setting, rankOf)
  if (bias === 'lora_only')
    throw new UserError('A module that is pruned to rank 0 would lose its bias, too: with "prune", set bias to none or all.')
  if (dora || takesOver(init))
    throw new UserError('"prune" masks doublets of plain LoRA: with it, leave out dora, and starts that take over a part of W.')
  const targets = resolveTargets(options, setting.sites, setting.layers)
  const modules = setting.sites.filter((site): site is LinearSite => site.kind === 'linear' && targets.has(site.name))
  const method = (left: (name: string) => number): Method => ofRanks(options, setting, left)
  return allocated({ modules, components: doublets(prune.zeroes), initial: { named: 'r', rankOf }, method, shrink: true }, prune, setting)
}

/**
 * LoRA (Hu et al. 2022): `W x + b + s B A dropout(x)` with A `[r, in]` and B `[out, r]`, B zero at the start. `dora` learns the lengths of
 * the rows of `W + s B A` besides; a start that takes over a part of W leaves `W - s B₀ A₀` to the base model, whose file stays as it is.
 */
export const lora = defineMethod<LoraOptions>({
  name: 'lora',
  summary: 'low-rank increments (Hu et al. 2022), DoRA with dora: true',
  options: loraOptions,
  learningRate: 5e-4,
  form: ({ alpha, rslora, alphaPattern, dora }) => ({ alpha, rslora, alphaPattern, dora }),
  plain({ options, memory }) {
    const kept = options.prune && (memory as AllocationMemory | null)?.kept
    return kept ? { options: pruned(options, kept), memory: null } : { options: { ...ordinary(options), prune: null }, memory }
  },
  size: ({ r }) => `r ${r}`,
  resize: (options, r) => ({
    ...options,
    budget: null,
    r: options.prune ? initialRank(options.prune, r) : r,
    prune: options.prune && { ...options.prune, targetR: r },
  }),
  create,
})
