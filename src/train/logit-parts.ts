import type { RunConfig } from '../config/run-config.ts'
import type { Example } from '../data/examples.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import { outputsOf, type Subject } from '../evaluate/assembly.ts'
import type { Method } from '../nn/method.ts'
import { computedTokens } from './chunks.ts'
import { tokensAtOnce } from './step-options.ts'

/** The most bytes of logits at a time; some five tensors of that size are alive at once. */
const MOST_BYTES = 2 ** 25

/** The most places, all passes counted, that are asked for a word at once: of a micro-batch, or of the tokens of a chunk. */
export function mostPlaces(subject: Subject, method: Method, examples: readonly Example[], train: RunConfig['train']): number {
  const arranged = arrangement(subject, method)
  const most = (of: (example: Example) => number): number =>
    method.passes * examples.reduce((all, example) => Math.max(all, of(example)), 1)
  const ofBatch = train.batchSize * most((example) => subject.head.answers(example))
  const atOnce = tokensAtOnce(train)
  return atOnce === null ? ofBatch : Math.min(ofBatch, atOnce + most((example) => computedTokens(example, arranged)))
}

/** In how many parts the logits of so many places are made, so that those of a vocabulary never fill the memory. */
export function logitParts(subject: Subject, places: number): number {
  return subject.head.lossInParts ? Math.min(places, Math.ceil((4 * places * outputsOf(subject)) / MOST_BYTES)) : 1
}
