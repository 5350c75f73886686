import type { Graph, Node } from '../graph/graph.ts'

/** The nodes that some output needs, in the order of construction. */
export function liveNodes(graph: Graph): Node[] {
  const live = new Set<Node>()
  const open = [...graph.outputs.values()]
  for (let value = open.pop(); value; value = open.pop()) {
    if (value.source.kind !== 'node' || live.has(value.source.node)) continue
    live.add(value.source.node)
    for (const operand of value.source.node.inputs) if (operand) open.push(operand)
  }
  return graph.nodes.filter((node) => live.has(node))
}
