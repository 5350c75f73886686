import type { Node, Value } from '../graph/graph.ts'

/** Tells of a graph's values whether they are made of parameters and choices alone, so that they can be had before a batch is read. */
export function parameterTest(): (value: Value) => boolean {
  const known = new Map<Node, boolean>()
  const test = ({ source, shape }: Value): boolean => {
    if (source.kind !== 'node') return shape.every((size) => typeof size === 'number')
    const { node } = source
    const found = known.get(node) ?? node.inputs.every((value) => value === null || test(value))
    known.set(node, found)
    return found
  }
  return test
}
