import type { Example } from '../data/examples.ts'
import { UserError } from '../errors.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import type { Adapted } from './adapted.ts'
import { openForward } from './forward.ts'
import { type Logits, parseInference } from './inference.ts'
import { openMixture } from './trained-mixture.ts'

/** A model that answers with one voice or several. */
export interface Answers {
  /** Whether its members were drawn at random. */
  readonly draws: boolean
  /** What every member says, `[members][examples]`. */
  members(examples: readonly Example[]): Promise<Logits[]>
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
}

/**
 * Opens a model for answers, as merged or through the routes of the mixture that its adapter was merged from.
 * @throws UserError for an inference that is not known, or where there is no such mixture or expert
 */
export async function openAnswers(adapted: Adapted, { adapter, inference, seed, batchSize }: AnswersOptions): Promise<Answers> {
  const { subject } = adapted.open
  const asked = parseInference(inference)
  if (asked === null) {
    const { method, state } = adapted
    const { logits, close } = await openForward(subject, method, state, { batchSize })
    return { draws: false, members: async (examples) => [await logits(examples, state)], close }
  }
  if (adapter === null) throw new UserError(`The inference "${inference}" needs an adapter: the folder "adapter" of an adamix run.`)
  const { mode, number } = asked
  const { experts, route } = openMixture(adapter, adapted)
  const most = mode.number?.most(experts) ?? 0
  if (number > most) throw new UserError(`The inference "${inference}" is not there: the mixture of ${adapter} has experts 0 to ${most}.`)
  const first = route(() => 0)
  const { logits, close } = await openForward(subject, first.method, first.state, { batchSize })
  return {
    draws: mode.draws,
    members: (examples) =>
      mode.members(
        examples,
        {
          ask: (some, choose) => logits(some, route(choose).state),
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
