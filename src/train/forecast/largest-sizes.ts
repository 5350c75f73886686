import type { RunConfig } from '../../config/run-config.ts'
import type { Example } from '../../data/examples.ts'
import type { Tokens } from '../../data/token-row.ts'
import { arrangement } from '../../evaluate/arrangement.ts'
import type { Subject } from '../../evaluate/assembly.ts'
import { batchSizes, evenSizes } from '../../evaluate/stream-feeds.ts'
import { chunkCount, chunksOf, computedTokens } from '../chunks.ts'
import { planRun } from '../plan.ts'
import { tokensAtOnce } from '../step-options.ts'
import type { MemoryOf } from './memory-need.ts'
import type { Sizes } from './planned-step.ts'

type Train = RunConfig['train']

/** Places of attention: rows are as long as the longest, and a decoder attends to its own and to the other text. */
function slotsOf(examples: readonly Example[]): number {
  const rows = examples.flatMap((example) => [example, ...(example.others ?? [])])
  const longest = (of: readonly Tokens[]): number => of.reduce((most, { ids }) => Math.max(most, ids.length), 0)
  const [read, written] = [longest(rows), longest(examples.flatMap(({ decoder }) => decoder ?? []))]
  return rows.length * (read ** 2 + written * (written + read))
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
      const [slots, sum] = [slotsOf(chunk), chunk.reduce((total, example) => total + computedTokens(example, arranged), 0)]
      if (sum > tokens) [longest, tokens] = [at, sum]
      if (slots > most) [widest, most] = [at, slots]
    }
  }
  const asked = planRun(examples, train, open.task.drawn)
  return [...new Set([longest, widest])].map(({ step, place }) => chunks(asked.microBatches(step))[place]!)
}

/** Full batches of examples of as many `rows` of `length` tokens, a decoder's beside them: sizes of their chunks, and in how many they are. */
export function evenChunks(
  train: Train,
  { model }: Pick<Subject, 'model'>,
  { length, rows, passes }: { readonly length: number; readonly rows: number; readonly passes: number },
): { readonly sizes: Sizes; readonly count: number } {
  const each = rows * passes
  const tokens = each * length * (model.wiring.decoder ? 2 : 1)
  const count = Math.min(train.batchSize, chunkCount(train.batchSize * tokens, tokensAtOnce(train)))
  return { sizes: evenSizes(each * Math.ceil(train.batchSize / count), length), count }
}

/** Sizes of what a run computes at once where that may need the most memory; each kind of chunk is looked for once. */
export function largestSizes(run: MemoryOf): (train: Train) => readonly Sizes[] {
  const { open, method, examples } = run
  const { passes } = method
  const { head } = open.subject
  const arranged = arrangement(open.subject, method)
  const known = new Map<number | null, readonly Sizes[]>()
  const found = (train: Train): readonly Sizes[] => {
    if (examples === null) return [evenChunks(train, open.subject, { ...run, passes }).sizes]
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
