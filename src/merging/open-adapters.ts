import { UserError } from '../errors.ts'
import { type Adapted, openAdapted } from '../evaluate/adapted.ts'
import { type Answering, answering } from '../evaluate/answering.ts'
import { type Forward, openForward } from '../evaluate/forward.ts'
import { findModel } from '../evaluate/open-task.ts'
import type { PredictorOptions } from '../evaluate/predictor.ts'
import { openReader } from '../evaluate/reader.ts'
import { methodFor } from '../evaluate/weight-counts.ts'
import { definitionOf } from '../methods/index.ts'
import { combination } from './combination.ts'
import { openEvidence } from './evidence.ts'
import type { Member } from './rule.ts'
import type { HeadChoice } from './whole-tensors.ts'

export type AdaptersOptions = Omit<PredictorOptions, 'adapter'>

/** One model with several adapters, of which one answers at a time. */
export interface Adapters extends Answering {
  /** The names that were given to adapters, in the order of loading. */
  readonly names: readonly string[]
  /** Reads a saved adapter under a name; the first one is used from then on. */
  load(name: string, folder: string): void
  /**
   * Answers with an adapter from now on, or with `null` as the model alone does, with its own head.
   * @throws UserError for a name that was not loaded, and for `null` where the model has no head
   */
  use(name: string | null): void
  /**
   * Answers with the weighted sum of the increments of some adapters from now on (weights are 1 by default). Heads are averaged by the
   * weights, or the first one's is taken.
   * @throws UserError where an adapter has no increments that are products, or heads are for other labels
   */
  sum(names: readonly string[], weights?: readonly number[], head?: HeadChoice): Promise<void>
  /** The number of compiled sessions: one for each shape of adapter that has answered. */
  readonly sessions: number
  close(): Promise<void>
}

/** What a session is compiled for: adapters that share it differ in their numbers alone. */
function shapeOf({ open, adapter, state }: Adapted): string {
  const form = adapter && [adapter.options.name, definitionOf(adapter.options).form?.(adapter.options)]
  return JSON.stringify([open.name, open.labels.length, form, [...state].map(([name, { shape }]) => [name, shape]).sort()])
}

/**
 * Opens a model for several adapters. Its weights are mapped from their file once for each shape of adapter, and switching between
 * adapters of one shape feeds other numbers to the same session.
 * @example
 * const model = await openAdapters({ model: 'models/minilm' })
 * model.load('mrpc', 'runs/mrpc/adapter')
 * model.load('rte', 'runs/rte/adapter')
 * model.use('rte')
 * const [answer] = await model.predict([['He left.', 'He went away.']])
 */
export async function openAdapters(options: AdaptersOptions): Promise<Adapters> {
  const { task = null, labels = null, batchSize = 64 } = options
  const model = await findModel(options.model)
  const loaded = new Map<string, Omit<Member, 'weight'>>()
  const forwards = new Map<string, Promise<Forward>>()
  let active: Adapted | null = null

  const named = (name: string): Omit<Member, 'weight'> => {
    const found = loaded.get(name)
    if (found) return found
    throw new UserError(`There is no adapter "${name}"; loaded are ${[...loaded.keys()].join(', ') || 'none'}.`)
  }
  const current = (): Adapted => {
    if (active) return active
    throw new UserError('No adapter is loaded: load one, or say use(null) for the model alone.')
  }
  const answers = (): Answering => {
    const adapted = current()
    const { open, method, state } = adapted
    return answering(open, openReader(adapted, options), {
      draws: false,
      async members(examples) {
        const shape = shapeOf(adapted)
        if (!forwards.has(shape)) forwards.set(shape, openForward(open.subject, method, state, { batchSize }))
        return [await (await forwards.get(shape)!).logits(examples, state)]
      },
    })
  }

  return {
    get names() {
      return [...loaded.keys()]
    },
    get labels() {
      return current().open.labels
    },
    get sessions() {
      return forwards.size
    },
    load(name, folder) {
      if (loaded.has(name)) throw new UserError(`There is an adapter "${name}" already; choose another name for ${folder}.`)
      const adapted = openAdapted(model, { adapter: folder, task, labels })
      loaded.set(name, { ...adapted, adapter: adapted.adapter!, folder })
      active ??= adapted
    },
    use(name) {
      active = name === null ? openAdapted(model, { adapter: null, task: task ?? active?.open.name ?? null, labels }) : named(name)
    },
    async sum(names, weights = names.map(() => 1), head = 'average') {
      if (names.length === 0 || weights.length !== names.length)
        throw new UserError(`${weights.length} weight(s) for ${names.length} adapters; give one for each of at least one.`)
      const members = names.map((name, k): Member => ({ ...named(name), weight: weights[k]! }))
      const evidence = openEvidence(members, { rows: [], metric: null, batchSize, seed: 0 })
      const settings = { weights, rank: null, density: 1, sign: 'total', seed: 0 } as const
      const { adapter } = await combination(members, 'cat', head, settings, evidence)
      const { open } = members[0]!
      active = { open, adapter, method: methodFor(open.subject, open.outline, adapter.options, null, adapter.memory), state: adapter.state }
    },
    predict: async (questions, asked) => answers().predict(questions, asked),
    evaluate: async (rows) => answers().evaluate(rows),
    async close() {
      for (const forward of forwards.values()) await (await forward).close()
      forwards.clear()
    },
  }
}
