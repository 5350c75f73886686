import { evaluate } from '../graph/dim.ts'
import { type Dtype, elements, type Graph, type Value } from '../graph/graph.ts'
import { liveNodes } from './live.ts'

const widths: Readonly<Record<Dtype, number>> = { float32: 4, float64: 8, int32: 4, int64: 8, int8: 1, uint8: 1, bool: 1 }

/** The bytes of tensors, given the batch's sizes; what is alike is worked out once. */
export function bytesAt(sizes: Readonly<Record<string, number>>): (value: Value) => number {
  const known = new Map<string, number>()
  return (value) => {
    const key = `${value.dtype}[${value.shape.join()}]`
    if (!known.has(key)) known.set(key, evaluate(elements(value), sizes) * widths[value.dtype])
    return known.get(key)!
  }
}

/** The bytes of the frozen weights that a graph reads. */
export function frozenBytes(graph: Graph): number {
  const read = new Set(liveNodes(graph).flatMap(({ inputs }) => inputs.filter((value) => value?.source.kind === 'external')))
  const bytesOf = bytesAt({})
  return [...read].reduce((sum, value) => sum + bytesOf(value!), 0)
}
