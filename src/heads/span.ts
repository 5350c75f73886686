import { part } from '../graph/dim.ts'
import type { Value } from '../graph/graph.ts'
import { input } from '../graph/graph.ts'
import { add, mul } from '../graph/ops/elementwise.ts'
import { rearrange, reshape, split } from '../graph/ops/movement.ts'
import type { Network } from '../nn/network.ts'
import { absent } from './absent.ts'
import { symmetricDivergence } from './consistency.ts'
import { crossEntropy } from './cross-entropy.ts'
import type { Head } from './head.ts'
import { overPasses } from './passes.ts'

/** Start and end scores by row, `[rows, length]` each, from `[tokens, 2]`; slots without a token are out of the softmax. */
function spanScores({ stream }: Network, logits: Value): Value[] {
  const byRow = rearrange(logits, stream.unpack)
  const beyond = absent(stream.slotMask)
  return split(byRow, 2, 2).map((scores) => add(reshape(scores, ['rows', 'length']), beyond))
}

/** The start and the end of an answer among a row's tokens. */
export const span: Head = {
  wiring: 'question-answering',
  outputs: () => 2,
  answers: ({ ids }) => ids.length,
  loss(network, logits, objective) {
    const { graph } = network
    const lane = part('rows', objective.passes)
    const counts = input(graph, 'counts', graph.float, [lane])
    const terms = spanScores(network, logits).map((scores, i) => {
      const target = input(graph, i === 0 ? 'starts' : 'ends', graph.float, [lane, 'length'])
      return overPasses(
        scores,
        objective,
        (pass) => crossEntropy(pass, target, counts),
        (first, second, { form }) => symmetricDivergence(first, second, counts, form),
      )
    })
    const mean = (values: (Value | null)[]): Value | null => (values[0] && values[1] ? mul(add(values[0], values[1]), 0.5) : null)
    return { task: mean(terms.map(({ task }) => task))!, consistency: mean(terms.map(({ consistency }) => consistency)) }
  },
  targets(examples, { length }) {
    const shape = [examples.length, length]
    const [starts, ends] = [new Float32Array(examples.length * length), new Float32Array(examples.length * length)]
    examples.forEach(({ label }, row) => {
      const { start, end } = label as { start: number; end: number }
      starts[row * length + start] = 1
      ends[row * length + end] = 1
    })
    const counts = { data: new Float32Array(examples.length).fill(1), shape: [examples.length] }
    return {
      feeds: { starts: { data: starts, shape }, ends: { data: ends, shape }, counts },
      weight: examples.length,
      count: examples.length,
    }
  },
}
