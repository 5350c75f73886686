import { didYouMean, UserError } from '../errors.ts'
import { openAdapted } from '../evaluate/adapted.ts'
import { type Answering, answering, type Question } from '../evaluate/answering.ts'
import { closing } from '../evaluate/closing.ts'
import { findModel } from '../evaluate/find-model.ts'
import { methodFor } from '../evaluate/method-for.ts'
import type { PredictorOptions } from '../evaluate/predictor.ts'
import { openReader } from '../evaluate/reader.ts'
import { describeAdapter, loadAdapter } from '../formats/index.ts'
import type { Answer } from '../tasks/answer.ts'
import { answersByName } from './answers-by-name.ts'
import { combination } from './combination.ts'
import { openEvidence } from './evidence.ts'
import type { Member } from './rule.ts'
import { openSessions, type Voice } from './sessions.ts'
import { type Layer, stackOf } from './stack.ts'
import type { HeadChoice } from './whole-tensors.ts'

export type AdaptersOptions = Omit<PredictorOptions, 'adapter' | 'inference' | 'seed' | 'merges' | 'progress'>

/** One model with several adapters, of which one answers at a time. */
export interface Adapters extends Answering {
  /** The names that were given to adapters, in the order of loading. */
  readonly names: readonly string[]
  /**
   * For each question label and scores (for regression a score), or with `logits` the raw numbers. `adapters` names the one that answers
   * each question, in place of the one in use; null is the model alone.
   * @throws UserError, with the place of the question, for a name that was not loaded, and for null where the model has no head
   */
  predict(
    questions: readonly Question[],
    options?: { readonly logits?: boolean; readonly adapters?: readonly (string | null)[] },
  ): Promise<Answer[]>
  /**
   * Reads a saved adapter under a name; the first one is used from then on. One without a head is read when it is first used.
   * @throws UserError for a name that is taken, and for a folder that holds no adapter of the model
   */
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
  /**
   * Answers with bottleneck adapters in turn from now on, each on what the one before it leaves at its place (adapter-hub's `Stack`), and
   * with the head of the last. Those below need no head.
   * @throws UserError for a name that was not loaded, and for a method that acts elsewhere
   */
  stack(names: readonly string[]): void
  /** The number of compiled sessions: one for each shape of adapter that has answered. */
  readonly sessions: number
  close(): Promise<void>
}

/**
 * Opens a model for several adapters. Its weights are mapped from their file once for each shape of adapter, and switching between
 * adapters of one shape feeds other numbers to the same session.
 * @throws UserError for a model that is not there or cannot be used, and for a device that it has not
 * @example
 * const model = await openAdapters({ model: 'models/minilm' })
 * model.load('mrpc', 'runs/mrpc/adapter')
 * model.load('rte', 'runs/rte/adapter')
 * model.use('rte')
 * const [answer] = await model.predict([['He left.', 'He went away.']])
 */
export async function openAdapters(options: AdaptersOptions): Promise<Adapters> {
  const { task = null, labels = null, batchSize = 64, notice = () => {} } = options
  const model = await findModel(options.model, notice, options)
  const sessions = openSessions(batchSize)
  const folders = new Map<string, string>()
  const opened = new Map<string, Omit<Member, 'weight'>>()
  let active: (() => Voice) | null = null

  const folderOf = (name: string): string => {
    const found = folders.get(name)
    if (found !== undefined) return found
    throw new UserError(
      `There is no adapter "${name}"; loaded are ${[...folders.keys()].join(', ') || 'none'}.${didYouMean(name, folders.keys())}`,
    )
  }
  const named = (name: string): Omit<Member, 'weight'> => {
    const folder = folderOf(name)
    const known = opened.get(name)
    if (known) return known
    const adapted = openAdapted(model, { adapter: folder, task, labels }, notice)
    const member = { ...adapted, adapter: adapted.adapter!, folder }
    opened.set(name, member)
    return member
  }
  const current = (): Voice => {
    if (active) return active()
    throw new UserError('No adapter is loaded: load one, or say use(null) for the model alone.')
  }
  /** One adapter; null is the model alone, which answers what the first adapter does where nothing else is said. */
  const voiceOf = (name: string | null): Voice => {
    if (name !== null) return { adapted: named(name), adapters: [named(name).adapter] }
    const [first] = opened.values()
    const own = task ?? describeAdapter(model.folder).task ?? first?.open.description ?? null
    return { adapted: openAdapted(model, { adapter: null, task: own, labels }), adapters: [] }
  }
  const answersOf = (voice: Voice): Answering =>
    answering(voice.adapted.open, openReader(voice.adapted, options), {
      draws: false,
      members: async (examples, whole) => [await sessions.logits(voice, examples, whole)],
    })

  const { during, close } = closing('model', () => sessions.close())

  return {
    get names() {
      return [...folders.keys()]
    },
    get labels() {
      return current().adapted.open.labels
    },
    get sessions() {
      return sessions.count
    },
    load(name, folder) {
      if (folders.has(name)) throw new UserError(`There is an adapter "${name}" already; choose another name for ${folder}.`)
      const { outputs } = describeAdapter(folder)
      folders.set(name, folder)
      // Without a head it may still be of use below another in a stack.
      if (outputs !== null) named(name)
      active ??= () => voiceOf(name)
    },
    use(name) {
      const voice = voiceOf(name)
      active = () => voice
    },
    async sum(names, weights = names.map(() => 1), head = 'average') {
      if (names.length === 0 || weights.length !== names.length)
        throw new UserError(`${weights.length} weight(s) for ${names.length} adapters; give one for each of at least one.`)
      const members = names.map((name, k): Member => ({ ...named(name), weight: weights[k]! }))
      const evidence = openEvidence(members, { rows: [], metric: null, head, batchSize, seed: 0 })
      const settings = { weights, rank: null, density: 1, sign: 'total', seed: 0 } as const
      const { adapter } = await combination(members, 'cat', head, settings, evidence)
      const { open } = members[0]!
      const method = methodFor(open.subject, open.outline, adapter.options, null, adapter.memory)
      const voice = { adapted: { open, adapter, method, state: adapter.state, reading: adapter.card.reading }, adapters: [adapter] }
      active = () => voice
    },
    stack(names) {
      const last = names.at(-1)
      if (last === undefined) throw new UserError('A stack of no adapters; name at least one.')
      const top = named(last)
      const layers = names.map((name): Layer => {
        const folder = folderOf(name)
        const alone = name === last || describeAdapter(folder).outputs !== null
        return alone ? named(name) : { adapter: loadAdapter(folder, { model, outline: top.open.outline }, notice), folder }
      })
      const voice = { adapted: stackOf(layers, top), adapters: layers.map(({ adapter }) => adapter) }
      active = () => voice
    },
    predict: (questions, { adapters, ...asked } = {}) =>
      during(async () => {
        if (!adapters) return answersOf(current()).predict(questions, asked)
        return answersByName(questions, adapters, (name) => answersOf(voiceOf(name)), asked)
      }),
    evaluate: (rows) => during(async () => answersOf(current()).evaluate(rows)),
    close,
  }
}
