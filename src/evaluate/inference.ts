import type { Example } from '../data/examples.ts'
import { UserError } from '../errors.ts'
import type { Choice } from '../nn/method.ts'

/** Logits of each example. */
export type Logits = Float32Array[]
export type Choose = (choice: Choice) => number

/** A mixture that answers by one route at a time. */
export interface Routed {
  ask(examples: readonly Example[], choose: Choose): Promise<Logits>
  /** A route at random, by its number. */
  drawn(route: number): Choose
}

/** A way to answer through a mixture's routes. */
export interface Mode {
  /** How it is written. */
  readonly form: string
  /** The number after the colon, from the least to the most; null where there is none. */
  readonly number: { readonly least: number; readonly most: (experts: number) => number } | null
  /** Whether routes are drawn. */
  readonly draws: boolean
  /** What every member says, `[members][examples]`. */
  members(examples: readonly Example[], routed: Routed, number: number): Promise<Logits[]>
}

const modes: Readonly<Record<string, Mode>> = {
  expert: {
    form: 'expert:K with K from 0',
    number: { least: 0, most: (experts) => experts - 1 },
    draws: false,
    members: async (examples, { ask }, expert) => [await ask(examples, () => expert)],
  },
  /** A route of its own for each example, as AdaMix's authors draw one for each sentence. */
  random: {
    form: 'random',
    number: null,
    draws: true,
    async members(examples, { ask, drawn }) {
      const logits: Logits = []
      for (const [i, example] of examples.entries()) logits.push(...(await ask([example], drawn(i))))
      return [logits]
    },
  },
  /** The same routes for all examples. */
  ensemble: {
    form: 'ensemble:N with N from 1',
    number: { least: 1, most: () => Infinity },
    draws: true,
    async members(examples, { ask, drawn }, count) {
      const members: Logits[] = []
      for (let route = 0; route < count; route++) members.push(await ask(examples, drawn(route)))
      return members
    },
  },
}

/** The way of answering that every model has: by its weights, into which a mixture's experts are merged. */
export const MERGED = 'merged'

/** What `expert:2`, say, asks for; null for the merged weights. Throws UserError for a text that is none of the forms. */
export function parseInference(text: string): { mode: Mode; number: number } | null {
  if (text === MERGED) return null
  const [, name = '', digits] = /^(\w+)(?::(\d{1,6}))?$/.exec(text) ?? []
  const mode = Object.hasOwn(modes, name) ? modes[name]! : null
  const number = Number(digits ?? 0)
  if (mode && (mode.number === null) === (digits === undefined) && number >= (mode.number?.least ?? 0)) return { mode, number }
  const forms = [MERGED, ...Object.values(modes).map(({ form }) => form)]
  throw new UserError(`The inference "${text}" is not known; there are ${forms.join(', ')}.`)
}
