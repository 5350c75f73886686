import type { Dim, Shape } from './dim.ts'
import { product } from './dim.ts'

/** `float` graphs exist in two precisions: float32 for work, float64 for finite differences. */
export type Dtype = 'float32' | 'float64' | 'int32' | 'int64' | 'int8' | 'uint8' | 'bool'
export type Float = 'float32' | 'float64'
export type Attribute = number | string | readonly number[] | { readonly int: number }

/** Where a tensor's bytes lie in a file: `offset` and `bytes` count from the start of the file. */
export interface FileRange {
  readonly file: string
  readonly offset: number
  readonly bytes: number
}

export type Source =
  | { readonly kind: 'node'; readonly node: Node }
  | { readonly kind: 'input' }
  | { readonly kind: 'constant'; readonly data: readonly number[] | Float32Array }
  | { readonly kind: 'external'; readonly name: string; readonly range: FileRange | null }

/** A tensor of the graph; immutable once made. */
export interface Value {
  readonly graph: Graph
  readonly name: string
  readonly dtype: Dtype
  readonly shape: Shape
  readonly source: Source
}

/** One operator call in ONNX's vocabulary, in the order of construction. */
export interface Node {
  readonly op: string
  readonly domain: '' | 'com.microsoft'
  readonly inputs: readonly (Value | null)[]
  readonly outputs: readonly (Value | null)[]
  readonly attributes: Readonly<Record<string, Attribute>>
  /** Values that only the gradient rule reads. */
  readonly saved: readonly Value[]
}

/** A computation under construction. Nodes are only ever appended. */
export interface Graph {
  readonly float: Float
  readonly nodes: Node[]
  readonly inputs: Map<string, Value>
  readonly externals: Map<string, Value>
  readonly constants: Map<string, Value>
  readonly outputs: Map<string, Value>
  /** Outputs that are written into the buffer of an input: output name -> input name. */
  readonly aliases: Map<string, string>
  /** For a named size, the input and axis that tell it at run time. */
  readonly sizes: Map<string, { readonly value: Value; readonly axis: number }>
}

export function createGraph(float: Float = 'float32'): Graph {
  return {
    float,
    nodes: [],
    inputs: new Map(),
    externals: new Map(),
    constants: new Map(),
    outputs: new Map(),
    aliases: new Map(),
    sizes: new Map(),
  }
}

/** Declares a tensor that is fed at each run. Its named sizes become known to the graph. */
export function input(graph: Graph, name: string, dtype: Dtype, shape: Shape): Value {
  if (graph.inputs.has(name)) throw new Error(`input "${name}" is declared twice`)
  const value: Value = { graph, name, dtype, shape, source: { kind: 'input' } }
  graph.inputs.set(name, value)
  shape.forEach((dim, axis) => {
    if (typeof dim === 'string' && !graph.sizes.has(dim)) graph.sizes.set(dim, { value, axis })
  })
  return value
}

/** A frozen tensor whose bytes stay in a file; `range` is null where only shapes are of interest. */
export function external(graph: Graph, name: string, shape: readonly number[], range: FileRange | null, dtype: Dtype = 'float32'): Value {
  const known = graph.externals.get(name)
  if (known) return known
  // A method may train a tensor of this name in its place.
  const value: Value = { graph, name: `frozen ${name}`, dtype, shape, source: { kind: 'external', name, range } }
  graph.externals.set(name, value)
  return value
}

/** A small constant; equal constants are one value. */
export function constant(graph: Graph, data: readonly number[] | Float32Array, shape: readonly number[], dtype: Dtype): Value {
  const key = `${dtype}[${shape.join()}]${Array.from(data).join()}`
  const known = graph.constants.get(key)
  if (known) return known
  const value: Value = { graph, name: `constant.${graph.constants.size}`, dtype, shape, source: { kind: 'constant', data } }
  graph.constants.set(key, value)
  return value
}

/** A constant of rank 0 in the graph's floating type, or in `dtype`. */
export function scalar(graph: Graph, number: number, dtype: Dtype = graph.float): Value {
  return constant(graph, [number], [], dtype)
}

/** Names a value as an output; `into` names the input whose buffer it is written to. */
export function output(graph: Graph, name: string, value: Value, into?: string): void {
  if (graph.outputs.has(name)) throw new Error(`output "${name}" is declared twice`)
  const taken = value.source.kind !== 'node' || [...graph.outputs.values()].includes(value)
  graph.outputs.set(name, taken ? append(graph, 'Identity', [value], [value])[0]! : value)
  if (into !== undefined) graph.aliases.set(name, into)
}

export interface OutputType {
  readonly dtype: Dtype
  readonly shape: Shape
}

/** Appends a node. A null output type leaves an optional output out. */
export function append(
  graph: Graph,
  op: string,
  inputs: readonly (Value | null)[],
  outputs: readonly (OutputType | null)[],
  attributes: Readonly<Record<string, Attribute>> = {},
  domain: Node['domain'] = '',
  saved: readonly Value[] = [],
): Value[] {
  for (const value of inputs) if (value && value.graph !== graph) throw new Error(`${op} mixes two graphs`)
  const made: (Value | null)[] = []
  const node: Node = { op, domain, inputs, outputs: made, attributes, saved }
  outputs.forEach((type, i) => {
    made.push(
      type && { graph, name: `${graph.nodes.length}.${op}.${i}`, dtype: type.dtype, shape: type.shape, source: { kind: 'node', node } },
    )
  })
  graph.nodes.push(node)
  return made.filter((value) => value !== null)
}

/** The number of elements, symbolic where the shape is. */
export function elements(value: Value): Dim {
  return product(value.shape)
}
