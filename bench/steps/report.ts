import type { Compared } from './comparison.ts'
import { median, spreadText } from './numbers.ts'

const preface = `# Training steps against HF PEFT

Made by \`npm run bench -- step\`; settings, machine, versions and loads are in step.json. Medians of rounds, smallest and largest in
brackets. A ratio below 1 is faster or smaller; a goal is the largest ratio that is wanted.
`

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')

/** Goals beside results, and below it what each side took. */
export function stepReport(results: Readonly<Record<string, Compared>>): string {
  const all = Object.entries(results)
  const figures = all.flatMap(([name, { figures }]) =>
    figures.map(({ name: figure, ratio, most }) => {
      // A share of a percent needs more digits.
      const digits = most !== null && most < 0.1 ? 4 : 2
      const verdict = most === null ? '' : ratio.median <= most ? 'yes' : 'no'
      return [name, figure, spreadText(ratio, digits), most === null ? '' : `<= ${most}`, verdict]
    }),
  )
  const sides = all.flatMap(([name, { sides }]) =>
    Object.entries(sides).map(([side, { trainedWeights, rounds }]) => {
      const middle = (key: 'medianMs' | 'tokensPerSecond' | 'peakMB' | 'medianCpuMs'): string =>
        median(rounds.map((round) => round[key])).toFixed(0)
      const rates = rounds.flatMap(({ gflopsPerSecond }) => gflopsPerSecond ?? [])
      const rate = rates.length > 0 ? median(rates).toFixed(0) : ''
      return [
        name,
        side,
        String(trainedWeights),
        middle('medianMs'),
        middle('medianCpuMs'),
        middle('tokensPerSecond'),
        rate,
        middle('peakMB'),
      ]
    }),
  )
  return [
    preface,
    table(['case', 'figure', 'ratio', 'goal', 'met'], figures),
    '',
    '## What each side took',
    '',
    table(['case', 'side', 'trained weights', 'step ms', 'CPU ms', 'tokens/s', 'GFLOP/s', 'peak MB'], sides),
    '',
  ].join('\n')
}
