import type { Value } from '../graph.ts'
import { append } from '../graph.ts'
import { cast } from './elementwise.ts'
import { sizeOf } from './movement.ts'

function ordered(x: Value, largest: boolean): [Value, Value] {
  const types = [
    { dtype: x.dtype, shape: x.shape },
    { dtype: 'int64' as const, shape: x.shape },
  ]
  const attributes = { axis: { int: 0 }, largest: { int: largest ? 1 : 0 } }
  return append(x.graph, 'TopK', [x, sizeOf(x.graph, x.shape[0]!)], types, attributes) as [Value, Value]
}

/** A vector from its largest number down, and the place that each of its numbers has there; of equal ones the first comes first. */
export function sortDescending(x: Value): { readonly values: Value; readonly places: Value } {
  const [values, order] = ordered(x, true)
  // The order of an order is its inverse.
  return { values, places: ordered(order, false)[1] }
}

/** The largest number of each row of `[n, width]` and where it stands, both `[n, 1]` in the graph's floating type; the first of equals. */
export function largest(x: Value): { readonly value: Value; readonly place: Value } {
  const shape = [x.shape[0]!, 1]
  const types = [
    { dtype: x.dtype, shape },
    { dtype: 'int64' as const, shape },
  ]
  const [value, place] = append(x.graph, 'TopK', [x, sizeOf(x.graph, 1)], types, { axis: { int: -1 }, largest: { int: 1 } })
  return { value: value!, place: cast(place!, x.dtype) }
}
