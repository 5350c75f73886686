import { z } from 'zod'
import type { Value } from '../graph/graph.ts'
import { add, mul } from '../graph/ops/elementwise.ts'
import { gemm } from '../graph/ops/matmul.ts'
import { activation, activationNames } from '../nn/activation.ts'
import { type Method, type ParameterSpec, type Roles, unmixed } from '../nn/method.ts'
import type { BranchCall, BranchSite, Site } from '../nn/site.ts'
import { budgetOption } from './budget-option.ts'
import { defineMethod } from './definition.ts'
import { kaimingUniform, normal, zeros } from './initial.ts'
import { layerSelection, layersOption } from './layers.ts'

interface Variant {
  readonly stage: BranchSite['stage']
  readonly roles: readonly BranchSite['role'][]
  /** The branch with the adapter `A` in place. */
  readonly place: (adapter: (x: Value) => Value, call: BranchCall) => Value
  readonly activation: (typeof activationNames)[number]
  readonly reduction: number
  readonly scaling: number
  readonly init: 'bert' | 'mam'
}

const afterBranch: Variant['place'] = (adapter, { value }) => add(value, adapter(value))

/** The forms of a bottleneck; x is the sub-layer's input, s its output after dropout, h before. */
export const variants = {
  /** Houlsby et al. 2019 in adapter-hub's form: `norm(x + s + A(s))` after both sub-layers. */
  houlsby: {
    stage: 'dropped',
    roles: ['attention', 'feed-forward'],
    place: afterBranch,
    activation: 'swish',
    reduction: 16,
    scaling: 1,
    init: 'bert',
  },
  /** Pfeiffer et al. 2021: `norm(x + s + A(norm(x + s)))` after the feed-forward block; the same norm twice. */
  pfeiffer: {
    stage: 'dropped',
    roles: ['feed-forward'],
    place: (adapter, { value, residual, norm }) => add(value, adapter(norm(add(value, residual)))),
    activation: 'relu',
    reduction: 16,
    scaling: 1,
    init: 'bert',
  },
  /** He et al. 2022: `norm(x + s + c A(x))`, parallel to the feed-forward block. */
  parallel: {
    stage: 'dropped',
    roles: ['feed-forward'],
    place: (adapter, { value, residual }) => add(value, adapter(residual)),
    activation: 'relu',
    reduction: 2,
    scaling: 4,
    init: 'mam',
  },
  /** AdaMix's place (Wang et al. 2022): `norm(dropout(h + A(h)) + x)`. */
  'ffn-output': { stage: 'raw', roles: ['feed-forward'], place: afterBranch, activation: 'gelu', reduction: 16, scaling: 1, init: 'bert' },
} as const satisfies Record<string, Variant>

export const bottleneckOptions = z.strictObject({
  name: z.literal('bottleneck'),
  variant: z
    .enum(Object.keys(variants) as [keyof typeof variants, ...(keyof typeof variants)[]])
    .default('pfeiffer')
    .describe('where it stands and what it sees'),
  size: z.number().int().positive('must be at least 1').nullable().default(null).describe('width; null: by `reduction`'),
  reduction: z.number().positive().nullable().default(null).describe("hidden size over width; null: the variant's"),
  activation: z.enum(activationNames).nullable().default(null).describe("null: the variant's"),
  scaling: z.number().nullable().default(null).describe("c; null: the variant's"),
  budget: budgetOption,
  layers: layersOption,
})
export type BottleneckOptions = z.infer<typeof bottleneckOptions>

/** The bottleneck's width: `size`, else hidden size over reduction, at least 1. */
export function bottleneckSize({ variant, size, reduction }: BottleneckOptions, hidden: number): number {
  return size ?? Math.max(1, Math.floor(hidden / (reduction ?? variants[variant].reduction)))
}

function specs(hidden: number, size: number, init: Variant['init']): Record<string, ParameterSpec> {
  const [down, up] = [[size, hidden] as const, [hidden, size] as const]
  return {
    'down.weight': { shape: down, init: init === 'mam' ? kaimingUniform(down) : normal(down, 0.02) },
    'down.bias': { shape: [size], init: zeros([size]) },
    'up.weight': { shape: up, init: init === 'mam' ? zeros(up) : normal(up, 0.02) },
    'up.bias': { shape: [hidden], init: zeros([hidden]) },
  }
}

/** Bottleneck adapters: `A(x) = c (U act(D x + a) + u)` with D `[size, hidden]`, U `[hidden, size]`. */
export const bottleneck = defineMethod<BottleneckOptions>({
  name: 'bottleneck',
  summary: 'bottleneck adapters (Houlsby et al. 2019, Pfeiffer et al. 2021, He et al. 2022)',
  options: bottleneckOptions,
  learningRate: 1e-3,
  form: ({ variant, activation: named, scaling }) => ({
    variant,
    activation: named ?? variants[variant].activation,
    scaling: scaling ?? variants[variant].scaling,
  }),
  size: ({ size, reduction }) => (size !== null ? `size ${size}` : reduction !== null ? `reduction ${reduction}` : ''),
  resize: (options, size) => ({ ...options, size, reduction: null, budget: null }),
  create(options, setting): Method {
    const variant: Variant = variants[options.variant]
    const act = activation(options.activation ?? variant.activation)
    const scaling = options.scaling ?? variant.scaling
    const selects = layerSelection(options.layers, setting)
    const acts = (site: Site): site is BranchSite =>
      site.kind === 'branch' && site.stage === variant.stage && variant.roles.includes(site.role) && selects(site.layer)
    const adapter = (roles: Roles) => (x: Value) => {
      const inner = act(gemm(x, roles['down.weight']!, roles['down.bias']!, { transposeB: true }))
      const outer = gemm(inner, roles['up.weight']!, roles['up.bias']!, { transposeB: true })
      return scaling === 1 ? outer : mul(outer, scaling)
    }
    return {
      name: 'bottleneck',
      ...unmixed,
      parameters: (site) => (acts(site) ? specs(site.hidden, bottleneckSize(options, site.hidden), variant.init) : {}),
      shared: ['up'],
      branch: (_site, roles, call) => variant.place(adapter(roles), call),
      trains: () => false,
    }
  },
})
