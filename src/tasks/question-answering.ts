import { spanLabel } from '../data/labels.ts'
import { span } from '../heads/span.ts'
import { accuracy } from '../metrics/accuracy.ts'
import { argmax, drawClass, mean, negativeLogLikelihood } from './softmax.ts'
import type { Task } from './task.ts'

const scores = (logits: Float32Array): { start: number[]; end: number[] } => ({
  start: Array.from({ length: logits.length / 2 }, (_, i) => logits[2 * i]!),
  end: Array.from({ length: logits.length / 2 }, (_, i) => logits[2 * i + 1]!),
})

/** The start and end of an answer among a row's tokens; rows carry `input_ids`, `start_positions`, `end_positions`. */
export const questionAnswering: Task = {
  head: span,
  classes: false,
  primary: 'exact',
  metricNames: ['exact', 'loss'],
  discover: () => [],
  label: (row) => spanLabel(row),
  distributions: {
    places: (size) => [0, 1].map((end) => Array.from({ length: size / 2 }, (_, i) => 2 * i + end)),
    targets(label) {
      const { start, end } = label as { start: number; end: number }
      return [start, end]
    },
  },
  metrics(logits, examples) {
    const spans = logits.map(scores)
    const labels = examples.map(({ label }) => label as { start: number; end: number })
    const hit = spans.map(({ start, end }, i) => (argmax(start) === labels[i]!.start && argmax(end) === labels[i]!.end ? 1 : 0))
    const losses = spans.map(
      ({ start, end }, i) => (negativeLogLikelihood(start, labels[i]!.start) + negativeLogLikelihood(end, labels[i]!.end)) / 2,
    )
    return {
      exact: accuracy(
        hit,
        hit.map(() => 1),
      ),
      loss: mean(losses),
    }
  },
  answer(logits) {
    const { start, end } = scores(logits)
    return { start: argmax(start), end: argmax(end) }
  },
  draw(logits, _names, draws) {
    const { start, end } = scores(logits)
    return { start: drawClass(start, draws), end: drawClass(end, draws) }
  },
  raw(logits) {
    const { start, end } = scores(logits)
    return { start_logits: start, end_logits: end }
  },
}
