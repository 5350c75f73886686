import { markdownTable } from '../../src/track/markdown-table.ts'
import { type Bar, goalBars } from '../report/bars.ts'
import type { Circumstances } from '../report/circumstances.ts'
import { besideGoal, type Goal } from '../report/goal.ts'
import type { Told } from '../report/told.ts'
import { type Spread, spread, spreadText } from '../steps/numbers.ts'

/** Ours and the peer's; null where there is none. */
interface Pair {
  readonly ours: number
  readonly torch: number | null
}

/** What it took before the first update. */
export interface StartResult extends Circumstances {
  /** By round. */
  readonly secondsToFirstUpdate: readonly (Pair & { readonly load: number })[]
  readonly installedMB: Pair
  readonly command: string
}

interface Figure extends Goal {
  readonly of: (result: StartResult) => readonly Pair[]
}

const figures: readonly Figure[] = [
  { name: 'seconds from the command to the first update', most: 0.15, of: ({ secondsToFirstUpdate }) => secondsToFirstUpdate },
  { name: 'installed MB', most: 0.1, of: ({ installedMB }) => [installedMB] },
]

const about = `What it takes before the first update with all-MiniLM-L6-v2, beside torch with PEFT (\`npm run bench -- start\`); loads are in start.json.
Medians of rounds, smallest and largest in brackets. Installed is what \`npm ci --omit=dev\` installs, the runtime's files for this platform
alone, against the peer's environment.`

const all = (numbers: readonly (number | null)[]): Spread | null =>
  numbers.length > 0 && numbers.every((number) => number !== null) ? spread(numbers) : null

/** Both figures with their goals, for each number of threads and kind of processor. */
export function startTold(results: Readonly<Record<string, StartResult>>): Told {
  const entries: readonly (readonly [string, StartResult | null])[] = Object.entries(results)
  const told = (entries.length > 0 ? entries : [['', null] as const]).flatMap(([on, result]) =>
    figures.map((figure) => {
      const pairs = result ? figure.of(result) : []
      const ratio = all(pairs.map(({ ours, torch }) => torch && ours / torch))
      return { on, figure, ratio, ours: all(pairs.map(({ ours }) => ours)), torch: all(pairs.map(({ torch }) => torch)) }
    }),
  )
  const text = (spread: Spread | null): string => (spread ? spreadText(spread) : '')
  const bars = told.flatMap(({ on, figure: { name, most }, ratio }): Bar[] => (ratio ? [{ name: `${name}, ${on}`, most, ratio }] : []))
  return {
    title: 'Before the first update',
    text: `${about}\n\n${markdownTable(
      ['figure', 'on', 'ours', 'torch with PEFT', 'ratio', 'goal', 'met'],
      told.map(({ on, figure, ratio, ours, torch }) => [...[figure.name, on, text(ours), text(torch)], ...besideGoal(ratio, figure)]),
    )}`,
    measured: Object.entries(results).map(([what, result]) => ({ what: `start, ${what}`, ...result })),
    missing: told.every(({ ratio }) => ratio) ? [] : ['npm run bench -- start'],
    drawings: bars.length > 0 ? { start: [goalBars('ratios to torch with PEFT and their goals', bars)] } : {},
  }
}
