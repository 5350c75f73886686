import { constant, type Value } from '../graph/graph.ts'
import { and, cast, equal, greater, or, stopGradient } from '../graph/ops/elementwise.ts'
import { reshape } from '../graph/ops/movement.ts'
import { reduceSum } from '../graph/ops/reduction.ts'

/** The place of each number in its row of `[n, m]`, 0 for the largest; of equal ones the first comes first. Without gradient. */
export function places(x: Value): Value {
  const { graph } = x
  const [n, m] = x.shape as readonly [number, number]
  const still = stopGradient(x)
  const [own, others] = [reshape(still, [n, m, 1]), reshape(still, [n, 1, m])]
  const before = Array.from({ length: m * m }, (_, at) => (at % m < Math.floor(at / m) ? 1 : 0))
  const ahead = or(greater(others, own), and(equal(others, own), constant(graph, before, [1, m, m], 'bool')))
  return reduceSum(cast(ahead, graph.float), { axes: [2] })
}

/** 1 for the `k` largest numbers of each row of `[n, m]`, else 0; of equal ones the first. Without gradient. */
export const largest = (x: Value, k = 1): Value => cast(greater(k, places(x)), x.graph.float)
