import { type Amount, type Bound, type Outcome, outcomeOf, slack, together } from './amount.ts'

/** A number beside its bound. */
export interface Tried {
  /** Of what. */
  readonly name: string
  readonly amount: Amount
}

/** What a statement came to. */
export interface Finding {
  readonly says: string
  readonly bound: string
  readonly outcome: Outcome
  readonly tried: readonly { readonly name: string; readonly value: string; readonly interval: string; readonly outcome: Outcome }[]
  /** The one of these that decides, in words. */
  readonly decided: string
}

export interface Verdict {
  readonly outcome: Outcome
  readonly findings: readonly Finding[]
  /** One sentence. */
  readonly sentence: string
}

/** The bound as a reader sees it. */
const boundText = ({ atLeast, atMost }: Bound, text: (value: number) => string): string =>
  atLeast === undefined ? `at most ${text(atMost!)}` : `at least ${text(atLeast)}`

/** What a statement came to, of the numbers that must all keep its bound. */
export function findingOf(
  { says, ...bound }: Bound & { readonly says: string },
  tried: readonly Tried[],
  text: (value: number) => string,
  level: number,
): Finding {
  const all = tried.map(({ name, amount }) => {
    const found = amount.within(level)
    return {
      slack: slack(amount.value, bound),
      told: {
        name,
        value: text(amount.value),
        interval: found === null ? '–' : `${text(found.low)} to ${text(found.high)}`,
        outcome: outcomeOf(amount, bound, level, tried.length),
      },
    }
  })
  const outcome = together(all.map(({ told }) => told.outcome))
  // Of those that make it so, the one that is nearest to the other side.
  const deciding = all.filter(({ told }) => told.outcome === outcome).toSorted((a, b) => a.slack - b.slack)[0]!.told
  return {
    ...{ says, outcome, bound: boundText(bound, text) },
    tried: all.map(({ told }) => told),
    decided: `${deciding.name}: ${deciding.value} (${deciding.interval}), for ${boundText(bound, text)}`,
  }
}

/** What all statements of a claim come to; `footing` is what the numbers are of. */
export function verdictOf(name: string, findings: readonly Finding[], footing: string): Verdict {
  const outcome = together(findings.map((each) => each.outcome))
  const deciding = findings.find((each) => each.outcome === outcome)!
  return { outcome, findings, sentence: `${name} ${outcome}: ${deciding.says}; ${deciding.decided}; ${footing}.` }
}
