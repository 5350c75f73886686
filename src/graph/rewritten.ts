import { append, constant, createGraph, external, type FileRange, type Graph, input, type Node, type Value } from './graph.ts'

export interface Rewriting {
  /** What takes the place of a node, built in the new graph from the node's operands there; null copies the node. */
  readonly replaced: (node: Node, operands: readonly (Value | null)[]) => readonly Value[] | null
  /** Where the bytes of a frozen tensor lie for the new graph. */
  readonly located: (range: FileRange) => FileRange
  /** Values that the new graph has in another way, whose nodes need not be carried over. */
  readonly given?: ReadonlyMap<Value, Value>
}

/** A graph with the same inputs and outputs in which some nodes are others; `nodes` are those that are carried over, in their order. */
export function rewritten(graph: Graph, nodes: readonly Node[], rewriting: (to: Graph) => Rewriting): Graph {
  const to = createGraph(graph.float)
  const { replaced, located, given = [] } = rewriting(to)
  const known = new Map<Value, Value>(given)
  for (const [name, { dtype, shape }] of graph.inputs) known.set(graph.inputs.get(name)!, input(to, name, dtype, shape))
  const leaf = ({ name, dtype, shape, source }: Value): Value => {
    if (source.kind === 'constant') return constant(to, source.data, shape as number[], dtype)
    if (source.kind !== 'external') throw new Error(`"${name}" is read before it is computed`)
    return external(to, source.name, shape as number[], source.range && located(source.range), dtype)
  }
  const carried = (value: Value): Value => {
    if (!known.has(value)) known.set(value, leaf(value))
    return known.get(value)!
  }
  for (const node of nodes) {
    const operands = node.inputs.map((value) => value && carried(value))
    const made = replaced(node, operands) ?? append(to, node.op, operands, node.outputs, node.attributes, node.domain)
    node.outputs
      .filter((value) => value !== null)
      .forEach((value, i) => {
        known.set(value, made[i]!)
      })
  }
  for (const [name, value] of graph.outputs) to.outputs.set(name, carried(value))
  for (const [name, into] of graph.aliases) to.aliases.set(name, into)
  return to
}
