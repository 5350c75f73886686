import type { Graph, Node, Value } from '../graph/graph.ts'
import { scalar } from '../graph/graph.ts'
import { add } from '../graph/ops/elementwise.ts'
import { rules } from './rules/index.ts'

/** The values that depend on `roots` and pass a gradient on; an Identity is how a graph stops one. */
function dependents(graph: Graph, roots: ReadonlySet<Value>): Set<Value> {
  const found = new Set(roots)
  for (const node of graph.nodes) {
    if (node.op === 'Identity') continue
    if (node.inputs.some((value) => value && found.has(value))) for (const value of node.outputs) if (value) found.add(value)
  }
  return found
}

/**
 * Appends the reverse pass of a scalar `loss` and returns its gradient for each of `wrt`, in the same shapes;
 * null where the loss does not depend on it. Nothing is emitted below the lowest of `wrt`.
 */
export function backward(loss: Value, wrt: readonly Value[]): (Value | null)[] {
  const { graph } = loss
  const active = dependents(graph, new Set(wrt))
  const gradients = new Map<Value, Value>([[loss, seed(loss)]])
  const forward: Node[] = [...graph.nodes]
  for (const node of forward.reverse()) {
    const outputs = node.outputs.map((value) => (value && gradients.get(value)) ?? null)
    const wants = node.inputs.map((value) => value !== null && active.has(value))
    if (!outputs.some(Boolean) || !wants.some(Boolean)) continue
    const rule = rules[node.op]
    if (!rule) throw new Error(`${node.op} has no gradient rule`)
    const found = rule(node, outputs, wants)
    node.inputs.forEach((value, i) => {
      const gradient = found[i]
      if (!value || !gradient || !wants[i]) return
      if (gradient.shape.join() !== value.shape.join()) {
        throw new Error(`the gradient of ${node.op} is [${gradient.shape}] for an operand [${value.shape}]`)
      }
      const sofar = gradients.get(value)
      gradients.set(value, sofar ? add(sofar, gradient) : gradient)
    })
  }
  return wrt.map((value) => gradients.get(value) ?? null)
}

function seed(loss: Value): Value {
  if (loss.shape.length !== 0) throw new Error(`only a scalar has a gradient, not [${loss.shape}]`)
  return scalar(loss.graph, 1, loss.dtype)
}
