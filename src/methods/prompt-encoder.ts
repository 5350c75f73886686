import type { ParameterSpec } from '../nn/method.ts'
import type { Algebra } from './algebra.ts'
import { kaimingUniform, uniform } from './initial.ts'

interface Sizes {
  readonly hidden: number
  readonly width: number
  /** Layers of an LSTM. */
  readonly depth: number
}

type Specs = Readonly<Record<string, ParameterSpec>>

/** A network from rows `[tokens, hidden]` to rows of the same shape. */
interface PromptEncoder {
  readonly parameters: (sizes: Sizes) => Specs
  readonly encode: <T>(algebra: Algebra<T>, roles: Readonly<Record<string, T>>, rows: T, sizes: Sizes & { readonly tokens: number }) => T
}

/** torch's Linear. */
function linear(group: string, inner: number, outer: number): Specs {
  const bias = [outer]
  return {
    [`${group}.weight`]: { shape: [outer, inner], init: kaimingUniform([outer, inner]) },
    [`${group}.bias`]: { shape: bias, init: uniform(bias, 1 / Math.sqrt(inner)) },
  }
}

const map = <T>({ affine }: Algebra<T>, roles: Readonly<Record<string, T>>, group: string, x: T): T =>
  affine(x, roles[`${group}.weight`]!, roles[`${group}.bias`]!)

/** Three maps with ReLU between. */
const mlp: PromptEncoder = {
  parameters: ({ hidden, width }) => ({
    ...linear('inner', hidden, width),
    ...linear('middle', width, width),
    ...linear('output', width, hidden),
  }),
  encode(algebra, roles, rows) {
    const inner = algebra.relu(map(algebra, roles, 'inner', rows))
    return map(algebra, roles, 'output', algebra.relu(map(algebra, roles, 'middle', inner)))
  },
}

const directions = ['forward', 'backward'] as const
const groupOf = (layer: number, direction: string): string => `${direction}${layer}`

/** The parameters of an LSTM in one direction, with torch's order of gates: input, forget, cell, output. */
function cell(group: string, inner: number, width: number): Specs {
  const spec = (...shape: number[]): ParameterSpec => ({ shape, init: uniform(shape, 1 / Math.sqrt(width)) })
  return {
    [`${group}.input`]: spec(4 * width, inner),
    [`${group}.hidden`]: spec(4 * width, width),
    [`${group}.inputBias`]: spec(4 * width),
    [`${group}.hiddenBias`]: spec(4 * width),
  }
}

/** The states of an LSTM (Hochreiter and Schmidhuber 1997) after each row, in the rows' order. */
function recur<T>(algebra: Algebra<T>, roles: Readonly<Record<string, T>>, group: string, rows: T, tokens: number): T[] {
  const { affine, add, mul, sigmoid, tanh, split } = algebra
  const [input, hidden, inputBias, hiddenBias] = ['input', 'hidden', 'inputBias', 'hiddenBias'].map((role) => roles[`${group}.${role}`]!)
  const given = split(affine(rows, input!, inputBias!), 0, tokens)
  const backward = group.startsWith('backward')
  const states: T[] = []
  let [state, memory]: [T | null, T | null] = [null, null]
  for (const x of backward ? given.reverse() : given) {
    // Before the first row the state is zero: only the bias is left of its map.
    const gates = add(x, state === null ? hiddenBias! : affine(state, hidden!, hiddenBias!))
    const [i, f, g, o] = split(gates, 1, 4) as [T, T, T, T]
    const fresh: T = mul(sigmoid(i), tanh(g))
    memory = memory === null ? fresh : add(mul(sigmoid(f), memory), fresh)
    state = mul(sigmoid(o), tanh(memory))
    states.push(state)
  }
  return backward ? states.reverse() : states
}

/** A bidirectional LSTM, then two maps with ReLU between. */
const lstm: PromptEncoder = {
  parameters({ hidden, width, depth }) {
    const cells = Array.from({ length: depth }, (_, layer) =>
      directions.map((direction) => cell(groupOf(layer, direction), layer === 0 ? hidden : 2 * width, width)),
    )
    return Object.assign({}, ...cells.flat(), linear('inner', 2 * width, 2 * width), linear('output', 2 * width, hidden))
  },
  encode(algebra, roles, rows, { depth, tokens }) {
    let states = rows
    for (let layer = 0; layer < depth; layer++) {
      const both = directions.map((direction) => algebra.concat(recur(algebra, roles, groupOf(layer, direction), states, tokens), 0))
      states = algebra.concat(both, 1)
    }
    return map(algebra, roles, 'output', algebra.relu(map(algebra, roles, 'inner', states)))
  },
}

/** P-tuning's networks (Liu et al. 2021) in HF PEFT's form, by name. */
export const promptEncoders = { mlp, lstm } as const
