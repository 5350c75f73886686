import { evaluate } from '../graph/dim.ts'
import { type Dtype, elements, type Graph, type Value } from '../graph/graph.ts'
import { liveNodes } from './live.ts'

const widths: Readonly<Record<Dtype, number>> = { float32: 4, float64: 8, int32: 4, int64: 8, int8: 1, uint8: 1, bool: 1 }

/** The bytes of a tensor, given the batch's sizes. */
export const bytesOf = (value: Value, sizes: Readonly<Record<string, number>>): number =>
  evaluate(elements(value), sizes) * widths[value.dtype]

/** The bytes of the frozen weights that a graph reads. */
export function frozenBytes(graph: Graph): number {
  const read = new Set(liveNodes(graph).flatMap(({ inputs }) => inputs.filter((value) => value?.source.kind === 'external')))
  return [...read].reduce((sum, value) => sum + bytesOf(value!, {}), 0)
}
