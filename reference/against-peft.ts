import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { markdownTable } from './markdown.ts'

interface Side {
  readonly medianMs: number
  readonly peakMB: number
}

/** What bench/results/step.json holds of a case, as far as it is told here. */
interface StepCase {
  readonly about: string
  readonly settings: { readonly threads: number }
  readonly rounds: readonly { readonly ours: Side; readonly peer: Side }[]
  readonly ratios: Readonly<Record<'pairedTime' | 'memory', { readonly median: number }>>
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

/** Time and memory of a LoRA step beside those of the same step in HF PEFT, as `npm run bench -- step` measured them last. */
export function stepTable(): string {
  const file = resolve(import.meta.dirname, '../bench/results/step.json')
  const cases = Object.values(JSON.parse(readFileSync(file, 'utf8')) as Record<string, StepCase>)
  const side = (sides: readonly Side[]): string =>
    `${(median(sides.map(({ medianMs }) => medianMs)) / 1000).toFixed(2)} s, ${(median(sides.map(({ peakMB }) => peakMB)) / 1000).toFixed(1)} GB`
  const rows = cases.map(({ about, settings, rounds, ratios }) => [
    `${about}, ${settings.threads} threads`,
    side(rounds.map(({ ours }) => ours)),
    side(rounds.map(({ peer }) => peer)),
    ratios.pairedTime.median.toFixed(2),
    ratios.memory.median.toFixed(2),
  ])
  return markdownTable(['a LoRA step on the CPU', 'adatune', 'HF PEFT', 'time', 'memory'], rows)
}
