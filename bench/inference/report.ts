import { markdownTable } from '../../src/track/markdown-table.ts'
import type { Circumstances } from '../report/circumstances.ts'
import type { Told } from '../report/told.ts'
import { median, spread, spreadText } from '../steps/numbers.ts'

/** What a side took in a round, in the middle of its passes over all rows. */
export interface AnswersRound {
  readonly load: number
  readonly rowsPerSecond: number
  readonly cpuSeconds: number
  /** Of the first pass, in which an adapter is put into the weights. */
  readonly firstCpuSeconds: number
  readonly peakMB: number
  /** The largest difference of a probability from the side that all are compared with. */
  readonly off: number
}

/** What answers took, round by round; every side has the same rounds. */
export interface AnswersResult extends Circumstances {
  readonly rows: number
  readonly batchSize: number
  readonly maxLength: number
  /** The side that all are compared with. */
  readonly beside: string
  readonly sides: Readonly<Record<string, readonly AnswersRound[]>>
  readonly command: string
}

const about = `From texts to probabilities: rows of RTE, all-MiniLM-L6-v2 with LoRA of rank 8 on all linear maps (\`npm run bench -- inference\`).
Medians of rounds in turns with each other, smallest and largest in brackets; _off_ is the largest difference of a probability. Loads are in
inference.json.`

function table({ beside, sides }: AnswersResult): string {
  const rows = Object.entries(sides).map(([name, rounds]) => [
    name,
    spreadText(spread(rounds.map(({ rowsPerSecond }) => rowsPerSecond))),
    spreadText(spread(rounds.map(({ rowsPerSecond }, i) => rowsPerSecond / sides[beside]![i]!.rowsPerSecond))),
    median(rounds.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2),
    median(rounds.map(({ firstCpuSeconds }) => firstCpuSeconds)).toFixed(2),
    String(Math.max(...rounds.map(({ peakMB }) => peakMB))),
    Math.max(...rounds.map(({ off }) => off)).toExponential(1),
  ])
  return markdownTable(['answers', 'rows a second', `over ${beside}`, 'CPU s a pass', 'of the first', 'peak MB', 'off'], rows)
}

/** Every side beside the one that all are compared with, for each number of rows and batch size. */
export function inferenceTold(results: Readonly<Record<string, AnswersResult>>): Told {
  const all = Object.entries(results)
  const tables = all.map(([what, result]) => `${what}:\n\n${table(result)}`)
  return {
    title: 'Answers to rows',
    text: [about, ...tables].join('\n\n'),
    measured: all.map(([what, result]) => ({ what: `answers to ${what}`, ...result })),
    missing: all.length > 0 ? [] : ['npm run bench -- inference'],
    drawings: {},
  }
}
