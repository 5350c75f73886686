import { evaluate, part, product } from '../graph/dim.ts'
import { flopCounter } from '../graph/flops.ts'
import { type Graph, input, type Node, type Value } from '../graph/graph.ts'
import { type Arc, sourceSide } from '../graph/min-cut.ts'
import { rewritten } from '../graph/rewritten.ts'
import { isStreamInput, tellsPlaces } from '../nn/stream.ts'
import { liveNodes } from '../onnx/live.ts'

/** A value at the end of the prefix, which the rest reads as an input. */
export interface KeptValue {
  readonly name: string
  /** What one pass has a slice for each of: `rows`, `tokens`, or the tokens of another stream. */
  readonly per: string
  /** Numbers of a slice. */
  readonly width: number
  readonly shape: readonly number[]
}

/** A graph in two: what is a function of each row of a batch alone, and nothing that changes while training lasts, and the rest. */
export interface SplitGraph {
  /** Gives the kept values, of the first pass alone. */
  readonly prefix: Graph
  readonly rest: Graph
  readonly kept: readonly KeptValue[]
}

/**
 * To keep a value must spare so many products with a square matrix of its width: a layer is worth it, and its queries, keys and values, which
 * are products of one value, are not.
 */
const SQUARE_PRODUCTS = 4

const isTold = (value: Value): boolean => isStreamInput(value.name) && typeof value.shape[0] === 'string'

/** Operators that move what their first operand holds to where the others say. */
const movements: ReadonlySet<string> = new Set(['Gather', 'Reshape', 'Slice', 'Expand'])

/** Nodes that read weights and what a batch tells of its tokens, and nothing else; and those of their results that hold its sizes or places in it. */
function frozenNodes(nodes: readonly Node[]): { frozen: ReadonlySet<Node>; places: ReadonlySet<Value> } {
  const frozen = new Set<Node>()
  const places = new Set<Value>()
  const isFrozen = (value: Value): boolean => {
    const { source } = value
    if (source.kind === 'input') return isTold(value)
    return source.kind !== 'node' || frozen.has(source.node)
  }
  const isPlace = (value: Value): boolean => places.has(value) || (value.source.kind === 'input' && tellsPlaces(value.name))
  for (const node of nodes) {
    if (!node.inputs.every((value) => value === null || isFrozen(value))) continue
    frozen.add(node)
    const holds = node.inputs.some((value, i) => value !== null && isPlace(value) && !(i > 0 && movements.has(node.op)))
    if (holds || node.op === 'Shape') for (const value of node.outputs) if (value) places.add(value)
  }
  return { frozen, places }
}

/** The size of which one pass has a slice each, where a value has numbers for each of them and nothing besides; null for others. */
function slicedBy({ shape, dtype }: Value, passes: number): string | null {
  const [first, ...others] = shape
  if (dtype !== 'float32' || typeof first !== 'string' || !others.every((dim) => typeof dim === 'number')) return null
  const whole = /^(rows|tokens|\w+Tokens)\b/.exec(first)?.[0]
  return whole !== undefined && part(whole, passes) === first ? whole : null
}

/**
 * Which values to keep so that the rest of the graph has the least to compute and the least is kept. A minimum cut: of each frozen node the
 * network has a vertex for being needed and one for being computed by the rest; what is needed and not computed is kept.
 */
function keptValues(nodes: readonly Node[], graph: Graph, passes: number, sizes: Readonly<Record<string, number>>): Value[] {
  const { frozen, places } = frozenNodes(nodes)
  const numbers = new Map([...frozen].map((node, i) => [node, i]))
  const given = new Set(graph.outputs.values())
  const [source, sink] = [-1, -2]
  const needed = (node: Node): number => 2 * numbers.get(node)!
  const computed = (node: Node): number => needed(node) + 1
  const madeBy = (value: Value | null): Node | null =>
    value?.source.kind === 'node' && frozen.has(value.source.node) ? value.source.node : null
  const arcs: Arc[] = []
  const needs = (from: number, values: Iterable<Value | null>): void => {
    for (const value of values) {
      const node = madeBy(value)
      if (node) arcs.push({ from, to: needed(node), capacity: Infinity })
    }
  }
  const elements = ({ shape }: Value): number => evaluate(product(shape), sizes)
  const isKeepable = (value: Value): boolean => slicedBy(value, passes) !== null && !places.has(value) && !given.has(value)
  const read = new Set(nodes.flatMap(({ inputs }) => inputs))
  const resultsOf = ({ outputs }: Node): Value[] => outputs.filter((value) => value !== null && read.has(value)) as Value[]
  const keeping = (value: Value): number => 2 * SQUARE_PRODUCTS * elements(value) * evaluate(product(value.shape.slice(1)), sizes)
  for (const node of frozen) {
    const results = resultsOf(node)
    const keepable = results.length > 0 && results.every(isKeepable)
    const operations = flopCounter([node])(sizes) + results.reduce((sum, value) => sum + elements(value), 0)
    arcs.push({
      from: needed(node),
      to: computed(node),
      capacity: keepable ? results.reduce((sum, value) => sum + keeping(value), 0) : Infinity,
    })
    arcs.push({ from: computed(node), to: sink, capacity: operations })
    needs(computed(node), node.inputs)
  }
  for (const node of nodes) if (!frozen.has(node)) needs(source, node.inputs)
  needs(source, given)
  const side = sourceSide(arcs, source, sink)
  return [...frozen].filter((node) => side.has(needed(node)) && !side.has(computed(node))).flatMap(resultsOf)
}

/** The nodes that the outputs need where some values are there. */
function nodesAfter(graph: Graph, kept: ReadonlySet<Value>): Node[] {
  const live = new Set<Node>()
  const open = [...graph.outputs.values()]
  for (let value = open.pop(); value; value = open.pop()) {
    if (value.source.kind !== 'node' || kept.has(value) || live.has(value.source.node)) continue
    live.add(value.source.node)
    for (const operand of value.source.node.inputs) if (operand) open.push(operand)
  }
  return graph.nodes.filter((node) => live.has(node))
}

/** The part of a graph that makes some of its values, as outputs by these names. */
function partFor(graph: Graph, outputs: ReadonlyMap<string, Value>): Graph {
  const made = { ...graph, outputs: new Map(outputs), aliases: new Map<string, string>() }
  const read = new Set(liveNodes(made).flatMap(({ inputs }) => inputs))
  return { ...made, inputs: new Map([...graph.inputs].filter(([, value]) => read.has(value))) }
}

/**
 * Splits off what a step computes before a first trained value, random number or choice of a method, where that is worth more than to keep its
 * results; null where it is not. `sizes` are those of a usual batch. A batch must hold its passes one after another, as `alikePasses` has it.
 */
export function frozenPrefix(graph: Graph, passes: number, sizes: Readonly<Record<string, number>>): SplitGraph | null {
  const chosen = new Set(keptValues(liveNodes(graph), graph, passes, sizes))
  const after = nodesAfter(graph, chosen)
  const read = new Set(after.flatMap(({ inputs }) => inputs))
  const values = [...chosen].filter((value) => read.has(value))
  if (values.length === 0) return null
  const named = new Map(values.map((value, i) => [`kept.${i}`, value]))
  const kept = [...named].map(([name, value]): KeptValue => {
    const shape = value.shape.slice(1) as number[]
    return { name, per: slicedBy(value, passes)!, width: shape.reduce((n, size) => n * size, 1), shape }
  })
  const rest = rewritten(graph, after, (to) => ({
    replaced: () => null,
    given: new Map([...named].map(([name, value]) => [value, input(to, name, value.dtype, value.shape)])),
  }))
  return { prefix: partFor(graph, named), rest, kept }
}
