import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { median } from '../bench/steps/numbers.ts'
import { markdownTable } from '../src/track/markdown-table.ts'

interface Round {
  readonly medianMs: number
  readonly totalMs: number
  readonly peakMB: number
}

/** What bench/results/step.json holds of a case, as far as it is told here. */
interface StepCase {
  readonly about: string
  readonly sides: Readonly<Record<string, { readonly rounds: readonly Round[] }>>
}

/** Our sides that are told; others are variants of them. */
const told = ['float32', 'int8']

/**
 * Time and memory of training steps beside those of the same steps in HF PEFT, as `npm run bench -- step` measured them last. Ratios are
 * medians over rounds, whose sides took turns.
 */
export function stepTable(): string {
  const file = resolve(import.meta.dirname, '../bench/results/step.json')
  const cases = Object.values(JSON.parse(readFileSync(file, 'utf8')) as Record<string, StepCase>)
  const rows = cases.flatMap(({ about, sides }) => {
    const { torch } = sides
    if (!torch) return []
    return told.flatMap((name) => {
      const own = sides[name]
      if (!own) return []
      const middle = (side: { readonly rounds: readonly Round[] }, key: keyof Round): number =>
        median(side.rounds.map((round) => round[key]))
      const ratio = (key: keyof Round): string => median(own.rounds.map((round, i) => round[key] / torch.rounds[i]![key])).toFixed(2)
      const sized = (side: { readonly rounds: readonly Round[] }): string =>
        `${(middle(side, 'medianMs') / 1000).toFixed(2)} s, ${(middle(side, 'peakMB') / 1000).toFixed(1)} GB`
      return [[`${about}${name === 'float32' ? '' : `, base: ${name}`}`, sized(own), sized(torch), ratio('totalMs'), ratio('peakMB')]]
    })
  })
  return markdownTable(['a training step on the CPU', 'adatune', 'HF PEFT', 'time', 'memory'], rows)
}
