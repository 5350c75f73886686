import { createGraph, type Float, type Graph, input, output, type Value } from '../../src/graph/graph.ts'
import { openSession } from '../../src/runtime/node.ts'

interface Operand {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

/** Numbers as an operand; a plain number has rank 0, an array rank 1, an array of arrays rank 2. */
export function operand(numbers: number | readonly number[] | readonly (readonly number[])[]): Operand {
  if (typeof numbers === 'number') return { shape: [], data: [numbers] }
  const first = numbers[0]
  return typeof first === 'object'
    ? { shape: [numbers.length, first.length], data: numbers.flat() }
    : { shape: [numbers.length], data: numbers as readonly number[] }
}

/** Builds a graph over fed operands, runs it once in doubles and gives its results. */
export async function compute(
  operands: Readonly<Record<string, Operand>>,
  build: (values: Readonly<Record<string, Value>>, graph: Graph) => Readonly<Record<string, Value>>,
  float: Float = 'float64',
): Promise<Record<string, number[]>> {
  const graph = createGraph(float)
  const values = Object.fromEntries(Object.entries(operands).map(([name, { shape }]) => [name, input(graph, name, float, shape)]))
  for (const [name, value] of Object.entries(build(values, graph))) output(graph, `${name}=`, value)
  const session = await openSession(graph)
  const array = float === 'float64' ? Float64Array : Float32Array
  const feeds = Object.fromEntries(Object.entries(operands).map(([name, { shape, data }]) => [name, { shape, data: array.from(data) }]))
  const results = await session.run(feeds)
  await session.close()
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name.slice(0, -1), Array.from(data)]))
}
