import { processorOf } from '../bench/report/circumstances.ts'
import { resultsFile } from '../bench/report/told.ts'
import type { Compared } from '../bench/steps/comparison.ts'
import { median } from '../bench/steps/numbers.ts'
import { readResults } from '../bench/training/trained-run.ts'
import { markdownTable } from '../src/track/markdown-table.ts'

/** Cases and our sides that are told; docs/performance.md has all of them. */
const toldCases = ['lora-qv', 'lora-linears', 'full', 'minilm-mrpc']
const toldSides = ['float32', 'int8']

/**
 * Time and memory of training steps over those of the same steps in HF PEFT, as `npm run bench -- step` measured them last on each kind of
 * processor: the figures of docs/performance.md, medians over rounds whose sides took turns.
 */
export function stepTable(): string {
  const results = Object.entries(readResults<Compared>(resultsFile('step')))
  const found = toldCases.flatMap((name) => results.flatMap(([key, each]) => (key.startsWith(`${name}, `) ? [each] : [])))
  const rows = found.map((each) => {
    const rounds = each.sides.torch?.rounds
    if (!rounds) throw new Error(`${each.about} was measured without HF PEFT: set ADATUNE_PEER_PYTHON, and \`${each.command}\``)
    const [ms, MB] = [median(rounds.map(({ medianMs }) => medianMs)), median(rounds.map(({ peakMB }) => peakMB))]
    const ratios = (what: string): string[] =>
      toldSides.map((name) => {
        const figure = each.figures.find((figure) => figure.name === `${name} ${what}`)
        return figure?.ratio.median.toFixed(2) ?? ''
      })
    return [
      each.about,
      processorOf(each),
      `${(ms / 1000).toFixed(2)} s, ${(MB / 1000).toFixed(1)} GB`,
      ...ratios('step'),
      ...ratios('memory'),
    ]
  })
  return markdownTable(['a training step on the CPU', 'processor', 'HF PEFT', 'time', 'in int8', 'memory', 'in int8'], rows)
}
