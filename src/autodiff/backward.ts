import type { Graph, Node, Value } from '../graph/graph.ts'
import { scalar } from '../graph/graph.ts'
import { add } from '../graph/ops/elementwise.ts'
import { rules } from './rules/index.ts'
import { remake, type Segment, settle } from './segment.ts'

/** The values that depend on `roots` and pass a gradient on; an Identity is how a graph stops one. */
function dependents(graph: Graph, roots: ReadonlySet<Value>): Set<Value> {
  const found = new Set(roots)
  for (const node of graph.nodes) {
    if (node.op === 'Identity') continue
    if (node.inputs.some((value) => value && found.has(value))) for (const value of node.outputs) if (value) found.add(value)
  }
  return found
}

/** What of a segment's results the rest of the graph reads. */
function resultsOf(graph: Graph, nodes: readonly Node[]): Value[] {
  const own = new Set(nodes)
  const made = new Set(nodes.flatMap(({ outputs }) => outputs.filter((value) => value !== null)))
  const read = graph.nodes.flatMap((node) => (own.has(node) ? [] : node.inputs.filter((value) => value !== null && made.has(value))))
  return [...new Set(read)] as Value[]
}

/**
 * Appends the reverse pass of a scalar `loss` and returns its gradient for each of `wrt`, in the same shapes;
 * null where the loss does not depend on it. Nothing is emitted below the lowest of `wrt`. `segments` do not overlap.
 */
export function backward(loss: Value, wrt: readonly Value[], segments: readonly Segment[] = []): (Value | null)[] {
  const { graph } = loss
  const active = dependents(graph, new Set(wrt))
  const gradients = new Map<Value, Value>([[loss, seed(loss)]])
  const forward: readonly Node[] = [...graph.nodes]
  /** What gets a gradient from these nodes, which lie from `start` on. */
  const reverse = (start: number, end: number, copyOf: (node: Node, gradient: Value) => Node): Set<Value> => {
    const touched = new Set<Value>()
    for (const node of forward.slice(start, end).reverse()) {
      for (const value of node.outputs) if (value) touched.delete(value)
      const outputs = node.outputs.map((value) => (value && gradients.get(value)) ?? null)
      const wants = node.inputs.map((value) => value !== null && active.has(value))
      if (!outputs.some(Boolean) || !wants.some(Boolean)) continue
      const rule = rules[node.op]
      if (!rule) throw new Error(`${node.op} has no gradient rule`)
      const found = rule(copyOf(node, outputs.find((value) => value !== null)!), outputs, wants)
      node.inputs.forEach((value, i) => {
        const gradient = found[i]
        if (!value || !gradient || !wants[i]) return
        if (gradient.shape.join() !== value.shape.join()) {
          throw new Error(`the gradient of ${node.op} is [${gradient.shape}] for an operand [${value.shape}]`)
        }
        const sofar = gradients.get(value)
        gradients.set(value, sofar ? add(sofar, gradient) : gradient)
        touched.add(value)
      })
    }
    return touched
  }
  let end = forward.length
  for (const segment of segments.toSorted((a, b) => b.start - a.start)) {
    reverse(segment.end, end, itself)
    const nodes = forward.slice(segment.start, segment.end)
    let copies: ReadonlyMap<Node, Node> | null = null
    const again = (node: Node, gradient: Value): Node => {
      copies ??= remake(nodes, gradient)
      return copies.get(node)!
    }
    const touched = reverse(segment.start, segment.end, segment.remade ? again : itself)
    settle(gradients, touched, segment.atOnce ? resultsOf(graph, nodes) : [])
    end = segment.start
  }
  reverse(0, end, itself)
  return wrt.map((value) => gradients.get(value) ?? null)
}

const itself = (node: Node): Node => node

function seed(loss: Value): Value {
  if (loss.shape.length !== 0) throw new Error(`only a scalar has a gradient, not [${loss.shape}]`)
  return scalar(loss.graph, 1, loss.dtype)
}
