import { resultsFile } from '../bench/report/told.ts'
import type { Compared } from '../bench/steps/comparison.ts'
import { median } from '../bench/steps/numbers.ts'
import { readResults } from '../bench/training/trained-run.ts'
import { markdownTable } from '../src/track/markdown-table.ts'

/** Our sides that are told; others are variants of them. */
const told = ['float32', 'int8']

/**
 * Time and memory of training steps beside those of the same steps in HF PEFT, as `npm run bench -- step` measured them last. Ratios are the
 * figures of docs/performance.md, medians over rounds whose sides took turns.
 */
export function stepTable(): string {
  const cases = Object.values(readResults<Compared>(resultsFile('step')))
  const rows = cases.flatMap(({ about, sides, figures }) => {
    const sized = (name: string): string => {
      const { rounds } = sides[name]!
      const [ms, MB] = [median(rounds.map(({ medianMs }) => medianMs)), median(rounds.map(({ peakMB }) => peakMB))]
      return `${(ms / 1000).toFixed(2)} s, ${(MB / 1000).toFixed(1)} GB`
    }
    return told.flatMap((name) => {
      if (!sides[name] || !sides.torch) return []
      const ratio = (...what: readonly string[]): string =>
        figures.find((figure) => what.some((each) => figure.name === `${name} ${each}`))?.ratio.median.toFixed(2) ?? ''
      const of = name === 'float32' ? about : `${about}, base: ${name}`
      return [[of, sized(name), sized('torch'), ratio('step', 'epoch'), ratio('memory')]]
    })
  })
  return markdownTable(['a training step on the CPU', 'adatune', 'HF PEFT', 'time', 'memory'], rows)
}
