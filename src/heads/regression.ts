import { part } from '../graph/dim.ts'
import { input } from '../graph/graph.ts'
import { div, mul, sub } from '../graph/ops/elementwise.ts'
import { reshape, split } from '../graph/ops/movement.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { squaredDifference } from './consistency.ts'
import { lossDivisor } from './divisors.ts'
import type { Head } from './head.ts'

/** One number for each row, by mean squared error. */
export const regression: Head = {
  wiring: 'sequence-classification',
  outputs: () => 1,
  loss(network, logits, { passes }) {
    const { graph } = network
    const lane = [part('rows', passes)]
    const values = input(graph, 'labels', graph.float, lane)
    const counts = input(graph, 'counts', graph.float, lane)
    const [first, second] = (passes === 1 ? [logits] : split(logits, 0, passes)).map((pass) => reshape(pass, lane))
    const error = sub(first!, values)
    return {
      task: div(reduceSum(mul(mul(error, error), counts)), lossDivisor(graph)),
      consistency: second ? squaredDifference(first!, second, counts) : null,
    }
  },
  targets(examples) {
    const shape = [examples.length]
    const labels = { data: Float32Array.from(examples, ({ label }) => label as number), shape }
    return {
      feeds: { labels, counts: { data: new Float32Array(examples.length).fill(1), shape } },
      weight: examples.length,
      count: examples.length,
    }
  },
}
