import { processorOf } from '../bench/report/circumstances.ts'
import { resultsFile } from '../bench/report/told.ts'
import type { Compared } from '../bench/steps/comparison.ts'
import { median } from '../bench/steps/numbers.ts'
import { readResults } from '../bench/training/trained-run.ts'
import { markdownTable } from '../src/track/markdown-table.ts'

/** Our sides that are told; others are variants of them. */
const told = ['float32', 'int8']

/**
 * Time and memory of training steps over those of the same steps in HF PEFT, as `npm run bench -- step` measured them last on each kind of
 * processor: the figures of docs/performance.md, medians over rounds whose sides took turns.
 */
export function stepTable(): string {
  const cases = Object.values(readResults<Compared>(resultsFile('step'))).filter(({ sides }) => sides.float32 && sides.torch)
  const rows = cases.map((each) => {
    const { rounds } = each.sides.torch!
    const [ms, MB] = [median(rounds.map(({ medianMs }) => medianMs)), median(rounds.map(({ peakMB }) => peakMB))]
    const ratios = (...whats: readonly string[]): string[] =>
      told.map((name) => {
        const figure = each.figures.find((figure) => whats.some((what) => figure.name === `${name} ${what}`))
        return figure?.ratio.median.toFixed(2) ?? ''
      })
    return [
      each.about,
      processorOf(each),
      `${(ms / 1000).toFixed(2)} s, ${(MB / 1000).toFixed(1)} GB`,
      ...ratios('step', 'epoch'),
      ...ratios('memory'),
    ]
  })
  return markdownTable(['a training step on the CPU', 'processor', 'HF PEFT', 'time', 'int8', 'memory', 'int8'], rows)
}
