import { z } from 'zod'
import { mul } from '../graph/ops/elementwise.ts'
import { reshape } from '../graph/ops/movement.ts'
import { type Method, type ParameterSpec, unmixed } from '../nn/method.ts'
import type { LinearSite, Site } from '../nn/site.ts'
import { attentionCoupling } from './coupling.ts'
import { defineMethod } from './definition.ts'
import { constants } from './initial.ts'
import { resolveTargets, type TargetOptions, targetOptions, targetsOption } from './targets.ts'

export const ia3Options = z.strictObject({
  name: z.literal('ia3'),
  ...targetOptions,
  targets: targetsOption(['key', 'value', 'down']),
  feedForward: z
    .union([z.string().min(1), z.array(z.string().min(1))])
    .default(['down'])
    .describe('the targets whose input is scaled in place of their output, written like `targets`'),
})
export type Ia3Options = z.infer<typeof ia3Options>

/** The targets, and those of them whose input is scaled. */
export function ia3Sites(options: Ia3Options, sites: readonly Site[], layers: number): Record<'all' | 'inputs', ReadonlySet<string>> {
  const all = resolveTargets(options, sites, layers)
  const { feedForward } = options
  const inputs: TargetOptions = { targets: feedForward, exclude: [], layers: null }
  const named = feedForward.length > 0 ? resolveTargets(inputs, sites, layers) : new Set<string>()
  return { all, inputs: new Set([...named].filter((name) => all.has(name))) }
}

/**
 * IA3 (Liu et al. 2022) in HF PEFT's form: `l ∘ (W x + b)` with l `[out, 1]`, or `W (l ∘ x) + b` with l `[1, in]` where the input is
 * scaled; l is one at the start. The paper scales keys, values and what enters the down projection.
 */
export const ia3 = defineMethod<Ia3Options>({
  name: 'ia3',
  summary: 'scales of keys, values and inner activations (Liu et al. 2022)',
  options: ia3Options,
  // The configs of the authors' code (T-Few).
  learningRate: 3e-3,
  create(options, { sites, layers }): Method {
    const { all, inputs } = ia3Sites(options, sites, layers)
    const acts = (site: Site): site is LinearSite => site.kind === 'linear' && all.has(site.name)
    return {
      name: 'ia3',
      ...unmixed,
      parameters(site): Record<string, ParameterSpec> {
        if (!acts(site)) return {}
        const shape = inputs.has(site.name) ? [1, site.in] : [site.out, 1]
        return { 'l.weight': { shape, init: constants(shape, 1) } }
      },
      linear(site, roles, { input, base }) {
        const l = roles['l.weight']!
        return inputs.has(site.name) ? base(mul(input, l)) : mul(base(input), reshape(l, [1, site.out]))
      },
      trains: () => false,
      fold(site, roles, { weight, bias }) {
        const l = roles['l.weight']!.data
        const scalesInput = inputs.has(site.name)
        return {
          weight: weight.map((value, i) => value * l[scalesInput ? i % site.in : Math.floor(i / site.in)]!),
          bias: scalesInput ? bias : (bias?.map((value, i) => value * l[i]!) ?? null),
        }
      },
      coupling: attentionCoupling,
    }
  },
})
