import type { Example } from '../data/examples.ts'
import { outputsOf, type Subject } from '../evaluate/assembly.ts'
import type { Method } from '../nn/method.ts'

/** The most bytes of logits at a time; some five tensors of that size are alive at once. */
const MOST_BYTES = 2 ** 25

/** The most places of a micro-batch, all passes counted, that are asked for a word. */
export const mostPlaces = ({ head }: Subject, { passes }: Method, examples: readonly Example[], batchSize: number): number =>
  passes * batchSize * examples.reduce((most, example) => Math.max(most, head.answers(example)), 1)

/** In how many parts the logits of so many places are made, so that those of a vocabulary never fill the memory. */
export function logitParts(subject: Subject, places: number): number {
  return subject.head.lossInParts ? Math.min(places, Math.ceil((4 * places * outputsOf(subject)) / MOST_BYTES)) : 1
}
