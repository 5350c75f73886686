import { append, constant, createGraph, external, type FileRange, type Graph, input, type Node, type Value } from './graph.ts'

/** Gives what a graph's value is in the new graph, and carries over what makes it ahead of its turn. */
export type Carry = (value: Value) => Value

export interface Rewriting {
  /** What takes the place of a node, built in the new graph from the node's operands there; null copies the node. */
  readonly replaced: (node: Node, operands: readonly (Value | null)[]) => readonly Value[] | null
  /** Where the bytes of a frozen tensor lie for the new graph; where they did by default. */
  readonly located?: (range: FileRange) => FileRange
  /** Values that the new graph has in another way, whose nodes need not be carried over. */
  readonly given?: ReadonlyMap<Value, Value>
  /** Whether the new graph is still to be differentiated, so that what gradient rules alone read is carried over, too. */
  readonly differentiable?: boolean
}

/** A graph made from another one, and where to find in it what that one has. */
export interface CarriedOver {
  readonly graph: Graph
  readonly carry: Carry
  /** How many nodes the new graph had when the turn of each of the old nodes came, and, last, how many it has. */
  readonly places: readonly number[]
}

/** The nodes of a graph in a new one with the same inputs, some of them replaced; `nodes` are in their order. */
export function carriedOver(graph: Graph, nodes: readonly Node[], rewriting: (to: Graph, carry: Carry) => Rewriting): CarriedOver {
  const to = createGraph(graph.float)
  const carry: Carry = (value) => {
    if (!known.has(value)) {
      if (value.source.kind === 'node' && waiting.has(value.source.node)) carryNode(value.source.node)
      else known.set(value, leaf(value))
    }
    return known.get(value)!
  }
  const { replaced, located = (range) => range, given = [], differentiable = false } = rewriting(to, carry)
  const known = new Map<Value, Value>(given)
  for (const [name, { dtype, shape }] of graph.inputs) known.set(graph.inputs.get(name)!, input(to, name, dtype, shape))
  const waiting = new Set(nodes)
  const leaf = ({ name, dtype, shape, source }: Value): Value => {
    if (source.kind === 'constant') return constant(to, source.data, shape as number[], dtype)
    if (source.kind !== 'external') throw new Error(`"${name}" is read before it is computed`)
    return external(to, source.name, shape as number[], source.range && located(source.range), dtype)
  }
  const carryNode = (node: Node): void => {
    if (!waiting.delete(node)) return
    const operands = node.inputs.map((value) => value && carry(value))
    const made =
      replaced(node, operands) ??
      append(to, node.op, operands, node.outputs, node.attributes, node.domain, differentiable ? node.saved.map(carry) : [])
    node.outputs
      .filter((value) => value !== null)
      .forEach((value, i) => {
        known.set(value, made[i]!)
      })
  }
  const places = nodes.map((node) => {
    const place = to.nodes.length
    carryNode(node)
    return place
  })
  return { graph: to, carry, places: [...places, to.nodes.length] }
}

/** A graph that is as it was. */
export const unchanged = (graph: Graph): CarriedOver => ({
  graph,
  carry: (value) => value,
  places: [...graph.nodes.keys(), graph.nodes.length],
})

/** What one way after another makes of a graph. */
export function successively(graph: Graph, ways: readonly ((graph: Graph) => CarriedOver)[]): CarriedOver {
  return ways.reduce((sofar, way) => {
    const next = way(sofar.graph)
    return { graph: next.graph, carry: (value) => next.carry(sofar.carry(value)), places: sofar.places.map((place) => next.places[place]!) }
  }, unchanged(graph))
}

/** A graph with the same inputs and outputs in which some nodes are others; `nodes` are those that are carried over, in their order. */
export function rewritten(graph: Graph, nodes: readonly Node[], rewriting: (to: Graph, carry: Carry) => Rewriting): Graph {
  const { graph: to, carry } = carriedOver(graph, nodes, rewriting)
  for (const [name, value] of graph.outputs) to.outputs.set(name, carry(value))
  for (const [name, into] of graph.aliases) to.aliases.set(name, into)
  return to
}
