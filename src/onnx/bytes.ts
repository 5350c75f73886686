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

/** Frozen weights that a graph reads, in bytes. */
export interface FrozenBytes {
  /** As they lie in their files. */
  readonly mapped: number
  /** What more there is where matrices are packed: each product has a copy of its own. */
  readonly copies: number
  /** What the engine lets go of then: matrices that only products read. */
  readonly letGo: number
}

/** Products whose right operand the engine packs. */
const packing: ReadonlySet<string> = new Set(['Gemm', 'MatMulIntegerToFloat', 'MatMulNBits'])

export function frozenBytes(graph: Graph): FrozenBytes {
  const mapped = new Set<Value>()
  const elsewhere = new Set<Value>()
  const bytesOf = bytesAt({})
  let copies = 0
  for (const { op, inputs } of liveNodes(graph)) {
    for (const [i, value] of inputs.entries()) {
      if (value?.source.kind !== 'external') continue
      mapped.add(value)
      if (i === 1 && packing.has(op)) copies += bytesOf(value)
      else elsewhere.add(value)
    }
  }
  const sum = (values: Iterable<Value>): number => [...values].reduce((total, value) => total + bytesOf(value), 0)
  return { mapped: sum(mapped), copies, letGo: sum(mapped) - sum(elsewhere) }
}
