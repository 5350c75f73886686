import { part } from '../graph/dim.ts'
import type { Value } from '../graph/graph.ts'
import { input } from '../graph/graph.ts'
import { div, mul, sub } from '../graph/ops/elementwise.ts'
import { reshape } from '../graph/ops/movement.ts'
import { reduceSum } from '../graph/ops/reduction.ts'
import { betweenNumbers } from './consistency.ts'
import { lossDivisor } from './divisors.ts'
import type { Head } from './head.ts'
import { overPasses } from './passes.ts'

/** One number for each row, by mean squared error. */
export const regression: Head = {
  wiring: 'sequence-classification',
  outputs: () => 1,
  answers: () => 1,
  loss({ graph }, logits, objective) {
    const lane = [part('rows', objective.passes)]
    const values = input(graph, 'labels', graph.float, lane)
    const counts = input(graph, 'counts', graph.float, lane)
    const squaredError = (pass: Value): Value => {
      const error = sub(reshape(pass, lane), values)
      return div(reduceSum(mul(mul(error, error), counts)), lossDivisor(graph))
    }
    return overPasses(logits, objective, squaredError, (first, second, consistency) => betweenNumbers(first, second, counts, consistency))
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
