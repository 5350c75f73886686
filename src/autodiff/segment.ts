import { append, type Node, type Value } from '../graph/graph.ts'
import { after } from './after.ts'

/** Nodes `start` to `end` (exclusive) of the forward pass, whose backward pass is finished before that of the nodes before them begins. */
export interface Segment {
  readonly start: number
  readonly end: number
  /** Whether the backward pass computes them once more from what enters them, so that nothing within is kept from the forward pass. */
  readonly remade: boolean
  /** Whether what they compute is computed with their backward pass: nothing of it is read before. */
  readonly atOnce: boolean
}

/** The nodes once more, not before `awaited`, from what other nodes and the graph's inputs give them. */
export function remake(nodes: readonly Node[], awaited: Value): ReadonlyMap<Node, Node> {
  const known = new Map<Value, Value>()
  const taken = (value: Value): Value => {
    if (value.source.kind !== 'node') return value
    if (!known.has(value)) known.set(value, after(value, [awaited]))
    return known.get(value)!
  }
  const copies = new Map<Node, Node>()
  for (const node of nodes) {
    const { op, inputs, outputs, attributes, domain, saved } = node
    const made = append(
      awaited.graph,
      op,
      inputs.map((value) => value && taken(value)),
      outputs,
      attributes,
      domain,
      saved.map(taken),
    )
    outputs
      .filter((value) => value !== null)
      .forEach((value, i) => {
        known.set(value, made[i]!)
      })
    copies.set(node, (made[0]!.source as { node: Node }).node)
  }
  return copies
}

/**
 * Lets the gradients of what enters a segment wait for all other gradients that it gives, those of parameters above all: so that nothing of
 * the segment is needed any more when the backward pass goes on. With `results`, they wait for these too, and those of parameters for them.
 */
export function settle(gradients: Map<Value, Value>, touched: ReadonlySet<Value>, results: readonly Value[]): void {
  const isMade = ({ source }: Value): boolean => source.kind === 'node'
  const [entering, parameters] = [[...touched].filter(isMade), [...touched].filter((value) => !isMade(value))]
  const awaited = [...results, ...parameters.map((value) => gradients.get(value)!)]
  const place = new Map(entering[0]?.graph.nodes.flatMap((node, i) => node.outputs.map((value) => [value, i] as const)))
  // The last that was made is what the backward pass goes on from.
  const ordered = entering.sort((a, b) => place.get(a)! - place.get(b)!)
  const settled = ordered.map((value) => {
    const gradient = after(gradients.get(value)!, awaited)
    awaited.push(gradient)
    return [value, gradient] as const
  })
  for (const [value, gradient] of settled) gradients.set(value, gradient)
  if (results.length === 0) return
  const others = [...results, ...settled.map(([, gradient]) => gradient)]
  for (const value of parameters) gradients.set(value, after(gradients.get(value)!, others))
}
