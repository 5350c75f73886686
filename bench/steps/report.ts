import { markdownTable } from '../../src/track/markdown-table.ts'
import { type Bar, goalBars } from '../report/bars.ts'
import { besideGoal } from '../report/goal.ts'
import type { Told } from '../report/told.ts'
import { cases } from './cases.ts'
import type { Compared } from './comparison.ts'
import { median, spread, spreadText } from './numbers.ts'

const about = `Time and memory of updates, ours and those of HF PEFT on torch, in turns (\`npm run bench -- step\`); settings and loads are in step.json.
Medians of rounds, smallest and largest in brackets. A ratio below 1 is faster or smaller; a goal is the largest ratio that is wanted. Every
side of a case makes the same steps; \`packed\` has frozen matrices as the products read them, and _products_ are the step's matrix products
alone at the best float32 rate of either engine.`

/** The results of a case, for each number of threads and kind of processor. */
const resultsOf = (name: string, results: Readonly<Record<string, Compared>>): [string, Compared | null][] => {
  const found = Object.entries(results).filter(([key]) => key.startsWith(`${name}, `))
  return found.length > 0 ? found : [[name, null]]
}

/** Figures of all cases with their goals, and what each side took. */
export function stepTold(results: Readonly<Record<string, Compared>>): Told {
  const all = Object.keys(cases).flatMap((name) => resultsOf(name, results).map(([key, found]) => ({ name, key, found })))
  const figures = all.flatMap(({ name, key, found }) =>
    cases[name]!.figures.flatMap((figure) => {
      const ratio = found?.figures.find((each) => each.name === figure.name)?.ratio ?? null
      return ratio || figure.most !== null ? [{ key, figure, ratio }] : []
    }),
  )
  const sides = all.flatMap(({ key, found }) =>
    Object.entries(found?.sides ?? {}).map(([side, { trainedWeights, rounds }]) => {
      const middle = (values: readonly number[]): string => (values.length > 0 ? median(values).toFixed(0) : '')
      const of = (each: 'medianMs' | 'medianCpuMs' | 'tokensPerSecond' | 'peakMB'): string => middle(rounds.map((round) => round[each]))
      const rate = middle(rounds.flatMap(({ gflopsPerSecond }) => gflopsPerSecond ?? []))
      return [key, side, String(trainedWeights), of('medianMs'), of('medianCpuMs'), of('tokensPerSecond'), rate, of('peakMB')]
    }),
  )
  const engines = ['adatune', 'torch']
  const rates = all.flatMap(({ key, found }) => {
    const of = (engine: string): number[] => found?.productRates.flatMap((round) => round[engine] ?? []) ?? []
    return engines.some((engine) => of(engine).length > 0)
      ? [[key, ...engines.map((engine) => (of(engine).length > 0 ? spreadText(spread(of(engine))) : ''))]]
      : []
  })
  const bars = figures.flatMap(({ key, figure: { name, most }, ratio }): Bar[] =>
    ratio && most !== null ? [{ name: `${key}: ${name}`, most, ratio }] : [],
  )
  const lacking = all.filter(({ key, found }) => !found || figures.some((each) => each.key === key && each.ratio === null))
  const missing = [...new Set(lacking.map(({ name }) => name))]
  const text = [
    about,
    markdownTable(
      ['case', 'about'],
      Object.entries(cases).map(([name, each]) => [name, each.about]),
    ),
    markdownTable(
      ['case', 'figure', 'ratio', 'goal', 'met'],
      figures.map(({ key, figure, ratio }) => [key, figure.name, ...besideGoal(ratio, figure)]),
    ),
    ...(sides.length > 0
      ? [
          'What each side took:',
          markdownTable(['case', 'side', 'trained weights', 'step ms', 'CPU ms', 'tokens/s', 'GFLOP/s', 'peak MB'], sides),
        ]
      : []),
    ...(rates.length > 0
      ? [
          'Rates of the large products alone, GFLOP/s, which a processor decides as much as an engine:',
          markdownTable(['case', ...engines], rates),
        ]
      : []),
  ]
  return {
    title: 'Training steps against HF PEFT',
    text: text.join('\n\n'),
    measured: all.flatMap(({ key, found }) => (found ? [{ what: key, ...found }] : [])),
    missing: missing.length > 0 ? [`npm run bench -- step ${missing.join(' ')}`] : [],
    drawings: bars.length > 0 ? { steps: [goalBars('ratios and their goals', bars)] } : {},
  }
}
