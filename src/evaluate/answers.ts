import type { Example } from '../data/examples.ts'
import { UserError } from '../errors.ts'
import { everywhere } from '../heads/head.ts'
import type { Method, Tensor } from '../nn/method.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import type { Adapted } from './adapted.ts'
import type { Subject } from './assembly.ts'
import { type Forward, type ForwardOptions, openForward } from './forward.ts'
import { type Logits, parseInference } from './inference.ts'
import { areMany, mergedIn } from './merged-voice.ts'
import type { Progress } from './progress.ts'
import { openMixture } from './trained-mixture.ts'

/** A model that answers with one voice or several. */
export interface Answers {
  /** Whether its members were drawn at random. */
  readonly draws: boolean
  /** What every member says, `[members][examples]`; `whole`, its logits at every token. */
  members(examples: readonly Example[], whole: boolean): Promise<Logits[]>
  close(): Promise<void>
}

export interface AnswersOptions {
  /** The adapter's folder; null for a model alone. */
  readonly adapter: string | null
  /** `merged`, `expert:K`, `random` or `ensemble:N`. */
  readonly inference: string
  /** Of the routes that are drawn, which are a pure function of it. */
  readonly seed: number
  readonly batchSize: number
  /** Whether an adapter is merged before many rows are answered, where it can be. */
  readonly merges: boolean
  /** Of one voice; several count as they like. */
  readonly progress?: Progress | undefined
}

/** A model's answers, and its logits at every token by a second session, which is opened when it is first asked for. */
async function openVoice(subject: Subject, method: Method, state: ReadonlyMap<string, Tensor>, options: ForwardOptions) {
  const usual = await openForward(subject, method, state, options)
  let full: Promise<Forward> | null = null
  return {
    async logits(examples: readonly Example[], values: ReadonlyMap<string, Tensor>, whole: boolean): Promise<Logits> {
      if (!whole || !subject.head.told) return usual.logits(examples, values)
      full ??= openForward({ ...subject, head: everywhere(subject.head) }, method, state, options)
      return (await full).logits(examples, values)
    },
    async close(): Promise<void> {
      await usual.close()
      // What could not be opened was told when it was asked.
      await (await full?.catch(() => null))?.close()
    },
  }
}

/** The model with its adapter merged, where that can be. */
async function openMerged(adapted: Adapted, options: ForwardOptions) {
  const merged = mergedIn(adapted)
  if (!merged) return null
  return { ...(await openVoice(adapted.open.subject, merged.method, merged.state, options)), state: merged.state }
}

/**
 * Opens a model for answers, as merged or through the routes of the mixture that its adapter was merged from.
 * @throws UserError for an inference that is not known, or where there is no such mixture or expert
 */
export async function openAnswers(
  adapted: Adapted,
  { adapter, inference, seed, batchSize, merges, progress }: AnswersOptions,
): Promise<Answers> {
  const { subject } = adapted.open
  const asked = parseInference(inference)
  if (asked === null) {
    const { method, state } = adapted
    const options = { batchSize, progress }
    const usual = await openVoice(subject, method, state, options)
    let merged: ReturnType<typeof openMerged> | null = null
    return {
      draws: false,
      async members(examples, whole) {
        if (!merges || !areMany(examples)) return [await usual.logits(examples, state, whole)]
        merged ??= openMerged(adapted, options)
        const voice = await merged
        return [voice ? await voice.logits(examples, voice.state, whole) : await usual.logits(examples, state, whole)]
      },
      async close() {
        await usual.close()
        await (await merged)?.close()
      },
    }
  }
  if (adapter === null) throw new UserError(`The inference "${inference}" needs an adapter: the folder "adapter" of an adamix run.`)
  const { mode, number } = asked
  const { experts, route } = openMixture(adapter, adapted)
  const most = mode.number?.most(experts) ?? 0
  if (number > most) throw new UserError(`The inference "${inference}" is not there: the mixture of ${adapter} has experts 0 to ${most}.`)
  const first = route(() => 0)
  const { logits, close } = await openVoice(subject, first.method, first.state, { batchSize })
  return {
    draws: mode.draws,
    members: (examples, whole) =>
      mode.members(
        examples,
        {
          ask: (some, choose) => logits(some, route(choose).state, whole),
          drawn:
            (at) =>
            ({ group, role }) =>
              stream(keyOf('inference', seed, at, group, role)).below(experts),
        },
        number,
      ),
    close,
  }
}
