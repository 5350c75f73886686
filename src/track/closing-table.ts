import { join } from 'node:path'
import { mergeGapText } from '../evaluate/merge-gap.ts'
import { onTest } from '../tasks/metric-name.ts'
import { energyOf, WATTS_OF_A_CORE } from '../train/energy.ts'
import type { RunSummary } from '../train/run-summary.ts'
import type { MetricText } from './metric-text.ts'
import { bytes, count, duration, energy, flops } from './numbers.ts'
import { seedsTable } from './seeds-table.ts'
import { table } from './table.ts'
import { weightsTable } from './weights-table.ts'

/** Tokens in a second of the whole run, evaluations and all. */
const speed = (tokens: number, seconds: number): string => (seconds > 0 ? `${count(tokens / seconds)} tokens/s` : '–')

function keptText({ kept }: RunSummary, steps: number): string {
  if (kept === null) return `the last step, ${count(steps)}`
  return `the best evaluation, at step ${count(kept.step)} of ${count(steps)}`
}

function energyText(took: { readonly joules?: number; readonly cpuSeconds: number }): string {
  const { joules, estimated } = energyOf(took)
  return estimated ? `${energy(joules)}, estimated at ${WATTS_OF_A_CORE} W a busy core` : `${energy(joules)} of the machine's processors`
}

/** What a finished run came to, for the end of its output. */
export function closingTable(summary: RunSummary, text: MetricText): string {
  const { out, weights, forwardFlops, metrics } = summary
  const counts = weightsTable(weights, forwardFlops, 'forward a token')
  const number = (name: string): number => Number(metrics[name])
  const tested = Object.entries(summary.test ?? {})
  const measured = Object.entries(summary.kept?.metrics ?? {})
  const facts = table(
    [
      ['kept', keptText(summary, number('steps'))],
      ...measured.map(([name, value]) => [name, text(name, value)]),
      ...(summary.merge ? [['mean of experts', mergeGapText(summary.merge)]] : []),
      ...tested.map(([name, value]) => [onTest(name), text(name, value)]),
      ['steps', count(number('steps'))],
      ['time', `${duration(number('seconds'))}, ${duration(number('cpuSeconds'))} of CPU`],
      ['energy', energyText(metrics as { joules?: number; cpuSeconds: number })],
      ['tokens', `${count(number('tokens'))}, ${speed(number('tokens'), number('seconds'))}`],
      ['training', `${flops(number('trainFlops'))}, ${flops(number('trainFlops') / number('steps'))} a step`],
      ['peak memory', bytes(number('peakMemoryBytes'))],
      ['adapter', `${bytes(number('adapterBytes'))} in ${join(out, 'adapter')}`],
    ],
    { header: false, align: ['left', 'left'] },
  )
  const seeds = summary.seeds ? `\n${seedsTable(summary.seeds, text)}` : ''
  return `\n${counts}\n${facts}${seeds}`
}
