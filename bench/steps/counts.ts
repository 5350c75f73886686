/** How steps are measured: rounds, steps of a round after those of the warm-up, and threads. */
export interface Counts {
  readonly rounds: number
  readonly steps: number
  readonly warmup: number
  readonly threads: number
}

/** As `parseArgs` takes them. */
export const countOptions = {
  rounds: { type: 'string', default: '5' },
  steps: { type: 'string', default: '3' },
  warmup: { type: 'string', default: '1' },
  threads: { type: 'string', default: '2' },
} as const

/** The counts that were given, where the names beside them are known; else the process ends with what there is. */
export function countsOf(
  values: Readonly<Record<keyof Counts, string>>,
  names: readonly string[],
  { kind, known }: { readonly kind: string; readonly known: object },
): Counts {
  const counts = {
    ...{ rounds: Number(values.rounds), steps: Number(values.steps) },
    ...{ warmup: Number(values.warmup), threads: Number(values.threads) },
  }
  const unknown = names.find((name) => !Object.hasOwn(known, name))
  const fits = Object.values(counts).every((n) => Number.isInteger(n) && n >= 0) && counts.steps * counts.rounds > 0
  if (unknown === undefined && fits) return counts
  console.error(
    unknown === undefined
      ? 'Give whole numbers, from 1 where they count rounds or steps.'
      : `There is no ${kind} "${unknown}"; there are ${Object.keys(known).join(', ')}.`,
  )
  process.exit(2)
}
