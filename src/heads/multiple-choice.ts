import type { Example } from '../data/examples.ts'
import { part } from '../graph/dim.ts'
import type { Value } from '../graph/graph.ts'
import { input } from '../graph/graph.ts'
import { add } from '../graph/ops/elementwise.ts'
import { rearrange, reshape } from '../graph/ops/movement.ts'
import { absent } from './absent.ts'
import { symmetricDivergence } from './consistency.ts'
import { crossEntropy } from './cross-entropy.ts'
import type { Head } from './head.ts'
import { overPasses } from './passes.ts'

/** How many choices a question has. */
const choicesOf = ({ others = [] }: Example): number => 1 + others.length

/** One of several rows of a question, by a logit for each and a softmax among them; questions may have different numbers of choices. */
export const multipleChoice: Head = {
  wiring: 'multiple-choice',
  outputs: () => 1,
  answers: choicesOf,
  loss({ graph }, logits, objective) {
    const shape = ['questions', 'choices']
    const index = input(graph, 'choice.index', 'int32', shape)
    const inverse = input(graph, 'choice.inverse', 'int32', [part('rows', objective.passes)])
    const beyond = absent(input(graph, 'choice.present', graph.float, shape))
    const target = input(graph, 'choice.right', graph.float, shape)
    const counts = input(graph, 'counts', graph.float, ['questions'])
    const scores = (pass: Value): Value => add(reshape(rearrange(pass, { index, inverse, read: null }), shape), beyond)
    return overPasses(
      logits,
      objective,
      (pass) => crossEntropy(scores(pass), target, counts),
      (first, second, { form }) => symmetricDivergence(scores(first), scores(second), counts, form),
    )
  },
  targets(examples) {
    const sizes = examples.map(choicesOf)
    const [questions, choices] = [examples.length, Math.max(...sizes)]
    const slots = questions * choices
    const [index, present, right] = [new Int32Array(slots), new Float32Array(slots), new Float32Array(slots)]
    const inverse: number[] = []
    examples.forEach(({ label }, question) => {
      const first = question * choices
      for (let slot = first; slot < first + sizes[question]!; slot++) {
        index[slot] = inverse.length
        present[slot] = 1
        inverse.push(slot)
      }
      right[first + (label as number)] = 1
    })
    const shape = [questions, choices]
    return {
      feeds: {
        'choice.index': { data: index, shape },
        'choice.inverse': { data: Int32Array.from(inverse), shape: [inverse.length] },
        'choice.present': { data: present, shape },
        'choice.right': { data: right, shape },
        counts: { data: new Float32Array(questions).fill(1), shape: [questions] },
      },
      weight: questions,
      count: questions,
      sizes: { questions, choices },
    }
  },
}
