import type { Dim } from '../dim.ts'
import type { Value } from '../graph.ts'
import { append, constant } from '../graph.ts'
import { cast, equal } from './elementwise.ts'
import { reshape, shapeVector } from './movement.ts'

/** One-hot rows `[..., depth]` in the graph's floating type; an index outside `0..depth-1` gives a row of zeros. */
export function oneHot(indices: Value, depth: number): Value {
  const { graph } = indices
  const numbers = constant(
    graph,
    Array.from({ length: depth }, (_, i) => i),
    [depth],
    indices.dtype,
  )
  return cast(equal(reshape(indices, [...indices.shape, 1]), numbers), graph.float)
}

/** The distinct values of a vector, sorted, and for each element the place of its value among them. */
export function unique(x: Value): { readonly values: Value; readonly inverse: Value } {
  const distinct = `distinct${x.graph.nodes.length}`
  const [values, inverse] = append(
    x.graph,
    'Unique',
    [cast(x, 'int64')],
    [{ dtype: 'int64', shape: [distinct] }, null, { dtype: 'int64', shape: x.shape }],
  )
  return { values: values!, inverse: inverse! }
}

/** A tensor of zeros `[size, ...]` in which row `rows[i]` is `updates[i]`; the rows must be distinct. */
export function scatterRows(size: Dim, rows: Value, updates: Value): Value {
  const { graph } = updates
  const shape = [size, ...updates.shape.slice(1)]
  const zeros = append(graph, 'ConstantOfShape', [shapeVector(graph, shape, false)], [{ dtype: 'float32', shape }])[0]!
  const column = append(
    graph,
    'Unsqueeze',
    [rows, constant(graph, [-1], [1], 'int64')],
    [{ dtype: 'int64', shape: [...rows.shape, 1] }],
  )[0]!
  return append(graph, 'ScatterND', [cast(zeros, graph.float), column, updates], [{ dtype: updates.dtype, shape }])[0]!
}

/** The integers from `start` on towards `end`, which is left out, by steps of 1 or -1; `size` is how many there are. */
export function range(start: Value, end: Value, step: 1 | -1, size: Dim): Value {
  const { graph, dtype } = start
  const bounds = [reshape(start, []), reshape(end, []), constant(graph, [step], [], dtype)]
  return append(graph, 'Range', bounds, [{ dtype, shape: [size] }])[0]!
}
