import type { Graph, Node, Value } from '../graph/graph.ts'
import { grouped } from '../grouped.ts'
import { bytesAt } from './bytes.ts'
import { liveNodes } from './live.ts'

/**
 * The order in which ONNX Runtime runs the encoded graph: a depth-first post-order from the nodes that nobody reads,
 * where of several candidates the one latest in the file goes first. `encode` writes the file in reverse,
 * so that here the node constructed first goes first.
 */
export function executionOrder(graph: Graph): Node[] {
  const nodes = liveNodes(graph)
  const place = new Map(nodes.map((node, i) => [node, i]))
  const read = new Set(nodes.flatMap((node) => node.inputs.flatMap((value) => (value?.source.kind === 'node' ? [value.source.node] : []))))
  const order: Node[] = []
  const seen = new Set<Node>()
  const latestFirst = (a: Node, b: Node): number => place.get(b)! - place.get(a)!
  const stack: { node: Node; done: boolean }[] = nodes
    .filter((node) => !read.has(node))
    .sort(latestFirst)
    .map((node) => ({ node, done: false }))
  for (let top = stack.pop(); top; top = stack.pop()) {
    if (top.done) {
      order.push(top.node)
      continue
    }
    if (seen.has(top.node)) continue
    seen.add(top.node)
    stack.push({ node: top.node, done: true })
    const operands = top.node.inputs.flatMap((value) => (value?.source.kind === 'node' ? [value.source.node] : []))
    for (const node of [...new Set(operands)].sort(latestFirst)) if (!seen.has(node)) stack.push({ node, done: false })
  }
  return order
}

/**
 * Throws unless every output that is written into an input's buffer is computed after all readers of that input.
 * ONNX Runtime does not know of the sharing: a violation would give wrong numbers without an error.
 */
export function assertAliasesSafe(graph: Graph): void {
  const order = executionOrder(graph)
  const place = new Map(order.map((node, i) => [node, i]))
  for (const [outputName, inputName] of graph.aliases) {
    const written = graph.outputs.get(outputName)!
    const replaced = graph.inputs.get(inputName)!
    if (written.source.kind !== 'node') throw new Error(`the aliased output "${outputName}" is not computed`)
    const writer = written.source.node
    for (const node of order) {
      if (node !== writer && node.inputs.includes(replaced) && place.get(node)! > place.get(writer)!) {
        throw new Error(`${node.op} would read "${inputName}" after "${outputName}" has overwritten it`)
      }
    }
  }
}

/**
 * The most bytes of intermediate tensors alive at once, given the batch's sizes.
 * Inputs, weights and aliased outputs are not counted; a reshaped tensor shares its operand's bytes.
 */
export function peakBytes(graph: Graph, sizes: Readonly<Record<string, number>>): number {
  const order = executionOrder(graph)
  const owner = new Map<Value, Value>()
  const rootOf = (value: Value): Value => owner.get(value) ?? value
  const lastUse = new Map<Value, number>()
  order.forEach((node, i) => {
    if (node.op === 'Reshape' || node.op === 'Unsqueeze') owner.set(node.outputs[0]!, rootOf(node.inputs[0]!))
    for (const value of [...node.inputs, ...node.outputs]) if (value) lastUse.set(rootOf(value), i)
  })
  const free = new Set([...graph.aliases.keys()].map((name) => graph.outputs.get(name)!))
  for (const [name, value] of graph.outputs) if (!graph.aliases.has(name)) lastUse.set(rootOf(value), order.length)
  const dying = grouped(lastUse.keys(), (value) => lastUse.get(value)!)
  const size = bytesAt(sizes)
  let now = 0
  let peak = 0
  order.forEach((node, i) => {
    for (const value of node.outputs) if (value && !owner.has(value) && !free.has(value)) now += size(value)
    peak = Math.max(peak, now)
    for (const value of dying.get(i) ?? []) if (value.source.kind === 'node' && !free.has(value)) now -= size(value)
  })
  return peak
}
