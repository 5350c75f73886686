import { append, constant, type Value } from '../graph/graph.ts'

/**
 * `value` itself, not before all of `others` have been computed. It costs nothing: a Reshape, which copies nothing, to the shape it has (a 0
 * keeps a size), and these zeros are multiplied by the number of elements of each of the others, which the engine must have then.
 */
export function after(value: Value, others: readonly Value[]): Value {
  const { graph, shape } = value
  const awaited = others.filter(({ source }) => source.kind === 'node')
  if (awaited.length === 0 || shape.length === 0) return value
  const kept = { dtype: 'int64', shape: [shape.length] } as const
  const zeros = awaited.reduce(
    (zero, other) => {
      const [size] = append(graph, 'Size', [other], [{ dtype: 'int64', shape: [] }])
      return append(graph, 'Mul', [zero, size!], [kept])[0]!
    },
    constant(graph, Array<number>(shape.length).fill(0), kept.shape, 'int64'),
  )
  return append(graph, 'Reshape', [value, zeros], [value])[0]!
}
