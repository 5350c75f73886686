import { z } from 'zod'
import { UserError } from '../errors.ts'
import type { Shape } from '../graph/dim.ts'
import { constant, type Value } from '../graph/graph.ts'
import { concat, expand, reshape, transpose } from '../graph/ops/movement.ts'
import type { Method, ParameterSpec, Roles } from '../nn/method.ts'
import { parameterName, unmixed } from '../nn/method.ts'
import { type KeyValueSite, type KeyValues, modelSite, type Site } from '../nn/site.ts'
import type { Tensor } from '../nn/tensor.ts'
import { type Algebra, inGraph, onHost } from './algebra.ts'
import { budgetOption } from './budget-option.ts'
import { defineMethod } from './definition.ts'
import { kaimingUniform, normal, uniform } from './initial.ts'

export const prefixOptions = z.strictObject({
  name: z.literal('prefix'),
  tokens: z.number().int().positive('must be at least 1').default(20).describe('keys and values of each attention'),
  projection: z.boolean().default(false).describe('make them by a small network while training'),
  width: z.number().int().positive('must be at least 1').nullable().default(null).describe('of that network; null: the hidden size'),
  positions: z
    .enum(['shifted', 'own'])
    .default('shifted')
    .describe("where the text's positions begin: after the tokens, or as without them, as in adapter-hub, whose format is then written"),
  attentions: z
    .enum(['all', 'peft'])
    .default('all')
    .describe("of an encoder and decoder: all attentions have prefixes, or the decoder's own, as HF PEFT 0.21 hands them out"),
  budget: budgetOption,
})
export type PrefixOptions = z.infer<typeof prefixOptions>

const acts = (site: Site): site is KeyValueSite => site.kind === 'keyValue'
const widthOf = ({ heads, headSize }: KeyValueSite): number => heads * headSize

/** Puts learned keys and values, `[tokens, heads * headSize]`, before those of every row; no mask hides them. */
function before({ heads, headSize }: KeyValueSite, tokens: number, roles: Roles, own: KeyValues): KeyValues {
  const ahead = (learned: Value, rest: Value): Value => {
    const byHead = transpose(reshape(learned, [1, tokens, heads, headSize]), [0, 2, 1, 3])
    return concat([expand(byHead, [rest.shape[0]!, heads, tokens, headSize]), rest], 2)
  }
  const { key, value, mask, columns } = own
  const places = Array.from({ length: tokens }, (_, i) => i - tokens)
  const attended: Shape = [...mask.shape.slice(0, 3), tokens]
  const open = expand(constant(mask.graph, [0], [1, 1, 1, 1], mask.dtype), attended)
  return {
    key: ahead(roles['prefix.key']!, key),
    value: ahead(roles['prefix.value']!, value),
    mask: concat([open, mask], mask.shape.length - 1),
    columns: concat([constant(mask.graph, places, [tokens], columns.dtype), columns], 0),
  }
}

const roles = ['prefix.key', 'prefix.value'] as const
const plainly = { name: 'prefix', ...unmixed, trains: () => false } as const

/** The keys and values themselves, at each attention. */
function flat(tokens: number, positions: PrefixOptions['positions']): Method {
  return {
    ...plainly,
    sequence: { virtualTokens: 0, positionShift: positions === 'shifted' ? tokens : 0 },
    parameters(site): Record<string, ParameterSpec> {
      if (!acts(site)) return {}
      const shape = [tokens, widthOf(site)]
      return { 'prefix.key': { shape, init: normal(shape, 1) }, 'prefix.value': { shape, init: normal(shape, 1) } }
    },
    keyValue: (site, roles, call) => before(site, tokens, roles, call),
  }
}

/** PEFT's slip: it hands out its list of keys and values twice over, and each decoder layer takes the next but one. */
function doubled(attentions: readonly KeyValueSite[], tokens: number, positions: PrefixOptions['positions']): Method {
  const plain = flat(tokens, positions)
  const specs = attentions.flatMap((site) =>
    Object.entries(plain.parameters(site)).map(([role, spec]) => [parameterName(site, role), spec] as const),
  )
  return {
    ...plain,
    parameters: (site) => (site.kind === 'model' ? Object.fromEntries(specs) : {}),
    model: (_site, given) => given,
    keyValue(site, _roles, call) {
      const index = attentions.findIndex(({ name }) => name === site.name)
      if (index < 0) return call
      const taken = attentions[(2 * index) % attentions.length]!
      return before(site, tokens, Object.fromEntries(roles.map((role) => [role, call.shared[parameterName(taken, role)]!])), call)
    },
  }
}

interface Projection {
  readonly tokens: number
  readonly hidden: number
  readonly width: number
}

/** Keys and values as `tanh(E W₁ᵀ + b₁) W₂ᵀ + b₂` with E `[tokens, hidden]`; the columns are key and value of each attention in turn. */
function projected(attentions: readonly KeyValueSite[], { tokens, hidden, width }: Projection, plain: Method): Method {
  const size = widthOf(attentions[0]!)
  const names = attentions.flatMap((site) => roles.map((role) => parameterName(site, role)))
  const columns = names.length * size
  const [inner, outer] = [[width, hidden] as const, [columns, width] as const]
  const specs: Record<string, ParameterSpec> = {
    'tokens.weight': { shape: [tokens, hidden], init: normal([tokens, hidden], 1) },
    'inner.weight': { shape: inner, init: kaimingUniform(inner) },
    'inner.bias': { shape: [width], init: uniform([width], 1 / Math.sqrt(hidden)) },
    'output.weight': { shape: outer, init: kaimingUniform(outer) },
    'output.bias': { shape: [columns], init: uniform([columns], 1 / Math.sqrt(width)) },
  }
  const keysAndValues = <T>({ affine, tanh, split }: Algebra<T>, of: Readonly<Record<string, T>>): T[] => {
    const middle = tanh(affine(of['tokens.weight']!, of['inner.weight']!, of['inner.bias']!))
    return split(affine(middle, of['output.weight']!, of['output.bias']!), 1, names.length)
  }
  return {
    ...plainly,
    sequence: plain.sequence!,
    shared: ['output'],
    parameters: (site) => (site.kind === 'model' ? specs : {}),
    model: (_site, given) => Object.fromEntries(keysAndValues(inGraph, given).map((part, i) => [names[i]!, part])),
    keyValue: (site, _roles, call) =>
      before(site, tokens, Object.fromEntries(roles.map((role) => [role, call.shared[parameterName(site, role)]!])), call),
    deploy(state) {
      const result = new Map([...state].filter(([name]) => !name.startsWith(`${modelSite.name}.`)))
      const given = Object.keys(specs).map((role) => [role, state.get(parameterName(modelSite, role))] as const)
      if (given.some(([, tensor]) => !tensor)) return { method: plain, state: result }
      const made = keysAndValues(onHost, Object.fromEntries(given) as Record<string, Tensor>)
      for (const [i, part] of made.entries()) result.set(names[i]!, part)
      return { method: plain, state: result }
    },
  }
}

/** Prefix tuning (Li and Liang 2021): learned keys and values before those of each row, in every attention; by default positions move for them. */
export const prefix = defineMethod<PrefixOptions>({
  name: 'prefix',
  summary: 'learned keys and values before the text (Li and Liang 2021)',
  options: prefixOptions,
  // Tried, as bench/results/prompt-rates.md tells; at the rate of a flat prefix the network learns nothing.
  learningRate: ({ projection }) => (projection ? 1e-3 : 3e-2),
  plain: ({ options, memory }) => ({ options: { ...options, projection: false, width: null }, memory }),
  form: ({ positions, attentions }) => ({ positions, attentions }),
  size: ({ tokens }) => `tokens ${tokens}`,
  resize: (options, tokens) => ({ ...options, tokens, budget: null }),
  create({ tokens, projection, width, positions, attentions }, { sites, hidden }): Method {
    const read = sites.filter(acts)
    if (attentions === 'peft' && read.some(({ reads }) => reads === 'cross')) {
      if (projection) throw new UserError('prefix: "projection" makes a prefix for all attentions; with it, leave out attentions: peft.')
      return doubled(
        read.filter(({ reads }) => reads === 'decoder'),
        tokens,
        positions,
      )
    }
    const plain = flat(tokens, positions)
    return projection ? projected(read, { tokens, hidden, width: width ?? hidden }, plain) : plain
  },
})
