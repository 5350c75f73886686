import { backward } from '../autodiff/backward.ts'
import type { Example, Label } from '../data/examples.ts'
import { UserError } from '../errors.ts'
import type { Adapted } from '../evaluate/adapted.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import { assemble } from '../evaluate/assembly.ts'
import { openEngine } from '../evaluate/engine.ts'
import { withForward } from '../evaluate/forward.ts'
import { trainedIn } from '../evaluate/state.ts'
import { streamFeeds } from '../evaluate/stream-feeds.ts'
import { output } from '../graph/graph.ts'
import { mul } from '../graph/ops/elementwise.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import type { Feeds } from '../runtime/session.ts'

const objective = { passes: 1, consistency: null, labelSmoothing: 0, classWeights: null }
const one: Feeds[string] = { data: Float32Array.of(1), shape: [] }

/** The examples with answers that the model itself draws. */
async function answered(
  { open, method, state }: Adapted,
  examples: readonly Example[],
  { batchSize, seed }: FisherOptions,
): Promise<Example[]> {
  const { draw } = open.task
  if (!draw) throw new UserError(`The Fisher information needs answers drawn from the model, which ${open.name} cannot draw; use mean.`)
  const logits = await withForward(open.subject, method, state, { batchSize }, (forward) => forward.logits(examples, state))
  return examples.map((example, i) => {
    const label: Label = draw(logits[i]!, open.labels, stream(keyOf('fisher', seed, i)))
    return { ...example, label }
  })
}

export interface FisherOptions {
  readonly batchSize: number
  readonly seed: number
}

/**
 * The diagonal of the Fisher information at an adapter: for each of its weights the mean over examples of the squared derivative of
 * log p(y|x), with y drawn from the model (Matena and Raffel 2022, section 3); up to a factor of the task, and without dropout.
 */
export async function fisherInformation(
  adapted: Adapted,
  examples: readonly Example[],
  options: FisherOptions,
): Promise<ReadonlyMap<string, Float32Array>> {
  const { open, method, state } = adapted
  const { subject } = open
  const { network, logits, trained } = assemble(subject, { method, training: false, trains: trainedIn(state) })
  const { graph } = network
  const { task } = subject.head.loss(network, logits, objective)
  const entries = [...trained.values()]
  const gradients = backward(
    task,
    entries.map(({ value }) => value),
  )
  const reached = entries.filter((_, i) => gradients[i])
  gradients.forEach((gradient, i) => {
    if (gradient) output(graph, `${entries[i]!.name}@squared`, mul(gradient, gradient))
  })
  const arranged = arrangement(subject, method)
  const fixed = Object.fromEntries([...state].filter(([name]) => graph.inputs.has(name)))
  const sums = new Map(entries.map(({ name }) => [name, new Float64Array(state.get(name)!.data.length)]))
  const labelled = await answered(adapted, examples, options)
  const session = await openEngine(open.subject.model, graph)
  try {
    for (const example of labelled) {
      const rows = arranged.rows([example])
      const batch = arranged.batch(rows)
      const { feeds } = subject.head.targets(rows, batch, objective)
      const results = await session.run({ ...fixed, ...streamFeeds(batch), ...feeds, lossDivisor: one, targetCount: one })
      for (const { name } of reached) {
        const sum = sums.get(name)!
        results[`${name}@squared`]!.data.forEach((value, i) => {
          sum[i] = sum[i]! + value
        })
      }
    }
  } finally {
    await session.close()
  }
  return new Map([...sums].map(([name, sum]) => [name, Float32Array.from(sum, (value) => value / examples.length)]))
}
