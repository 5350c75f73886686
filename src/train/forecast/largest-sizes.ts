import type { RunConfig } from '../../config/run-config.ts'
import { type Example, tokenCount } from '../../data/examples.ts'
import { arrangement } from '../../evaluate/arrangement.ts'
import { batchSizes, evenSizes } from '../../evaluate/stream-feeds.ts'
import { chunkCount, chunksOf } from '../chunks.ts'
import { planRun } from '../plan.ts'
import { tokensAtOnce } from '../step-options.ts'
import type { MemoryOf } from './memory-need.ts'
import type { Sizes } from './planned-step.ts'

type Train = RunConfig['train']

const slotsOf = (examples: readonly Example[]): number => {
  const rows = examples.flatMap((example) => [example, ...(example.others ?? [])])
  return rows.length * Math.max(...rows.map(({ ids }) => ids.length)) ** 2
}

/** Of what a run computes at once the chunk with the most tokens, and the one with the most attention, as they are asked. */
function heaviest(examples: readonly Example[], train: Train, { open, method }: MemoryOf): (readonly Example[])[] {
  const arranged = arrangement(open.subject, method)
  const chunks = (batches: readonly (readonly Example[])[]): (readonly Example[])[] =>
    batches.flatMap((batch) => chunksOf(batch, tokensAtOnce(train), arranged, method.passes))
  // Drawing changes no length, so only what is found is drawn.
  const plan = planRun(examples, train)
  const first = { step: 0, place: 0 }
  let [longest, widest] = [first, first]
  let [most, tokens] = [-1, -1]
  for (let step = 0; step < plan.totalSteps; step++) {
    for (const [place, chunk] of chunks(plan.microBatches(step)).entries()) {
      const at = { step, place }
      const [slots, sum] = [slotsOf(chunk), chunk.reduce((total, example) => total + tokenCount(example), 0)]
      if (sum > tokens) [longest, tokens] = [at, sum]
      if (slots > most) [widest, most] = [at, slots]
    }
  }
  const asked = planRun(examples, train, open.task.drawn)
  return [...new Set([longest, widest])].map(({ step, place }) => chunks(asked.microBatches(step))[place]!)
}

/** Sizes of a chunk of full batches of examples that have `rows` rows of `length` tokens each. */
export function evenChunk(train: Train, { length, rows, passes }: { length: number; rows: number; passes: number }): Sizes {
  const all = train.batchSize * rows * passes
  return evenSizes(Math.ceil(all / chunkCount(all * length, tokensAtOnce(train))), length)
}

/** Sizes of what a run computes at once where that may need the most memory; each kind of chunk is looked for once. */
export function largestSizes(run: MemoryOf): (train: Train) => readonly Sizes[] {
  const { open, method, examples } = run
  const { passes } = method
  const { head } = open.subject
  const arranged = arrangement(open.subject, method)
  const known = new Map<number | null, readonly Sizes[]>()
  const found = (train: Train): readonly Sizes[] => {
    if (examples === null) return [evenChunk(train, { ...run, passes })]
    return heaviest(examples, train, run).map((chunk) => {
      const own = arranged.rows(chunk)
      const packed = arranged.batch(own, passes)
      const objective = { passes, consistency: method.consistency, labelSmoothing: 0, classWeights: null }
      return { ...batchSizes(packed), ...head.targets(own, packed, objective).sizes }
    })
  }
  return (train) => {
    const atOnce = tokensAtOnce(train)
    if (!known.has(atOnce)) known.set(atOnce, found(train))
    return known.get(atOnce)!
  }
}
