import { markdownTable } from '../../src/track/markdown-table.ts'
import type { Circumstances } from '../report/circumstances.ts'
import type { Told } from '../report/told.ts'
import { type Kernels, kinds } from './profile.ts'

/** Where the time of a case's updates goes, by side. */
export interface SharesResult extends Circumstances {
  readonly sides: Readonly<Record<string, Kernels>>
  readonly command: string
}

/** The cases that are asked for where the command names none. */
export const profiled = ['lora-linears', 'full', 'adamix', 'adamix-no-dropout', 'minilm-mrpc']

const about = `Where the time of an update goes, by the engine's own profile (\`npm run bench -- shares\`): shares of the time of all kernels, in
percent. A product is _narrow_ where one of its sizes is below 64, as a rank is; _sums_ are additions, subtractions and reductions, _moves_ what
puts numbers elsewhere. Kernels count with the median of their runs; sides of a case make their updates in turns. Operators are in shares.json.`

export function sharesTold(results: Readonly<Record<string, SharesResult>>): Told {
  const found = Object.entries(results)
  const rows = found.flatMap(([key, { sides }]) =>
    Object.entries(sides).map(([side, { byKind }]) => {
      const all = Object.values(byKind).reduce((sum, ms) => sum + ms, 0)
      return [key, side, all.toFixed(0), ...kinds.map((kind) => ((100 * byKind[kind]) / all).toFixed(1))]
    }),
  )
  const missing = profiled.filter((name) => !found.some(([key]) => key.startsWith(`${name}, `)))
  return {
    title: 'Where the time of an update goes',
    text: `${about}\n\n${markdownTable(['case', 'side', 'kernels of an update, ms', ...kinds], rows)}`,
    measured: found.map(([key, result]) => ({ what: `shares of ${key}`, ...result })),
    missing: missing.length > 0 ? [`npm run bench -- shares ${missing.join(' ')}`] : [],
    drawings: {},
  }
}
