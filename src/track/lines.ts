import type { WeightCounts } from '../evaluate/weight-counts.ts'
import { type MethodOptions, methodTitle } from '../methods/index.ts'
import type { RunEvent } from '../train/events.ts'
import type { RowCounts } from '../train/row-counts.ts'
import type { MetricText } from './metric-text.ts'
import { bytes, count, percent } from './numbers.ts'

interface RunFields extends RowCounts {
  readonly model: string
  readonly method: MethodOptions
  readonly totalSteps: number
  readonly examples: number
  readonly weights: WeightCounts
  /** What the process is foretold to need at its peak. */
  readonly memoryBytes?: number
}

const MOST_CLASSES = 10

/** `classes: bad 620, good 680` */
function classesLine(classes: Readonly<Record<string, number>>): string {
  const all = Object.entries(classes)
  const more = all.length > MOST_CLASSES ? ` and ${count(all.length - MOST_CLASSES)} more` : ''
  const shown = all.slice(0, MOST_CLASSES).map(([name, rows]) => `${name} ${count(rows)}`)
  return `classes: ${shown.join(', ')}${more}`
}

const cutLine = ({ rows, tokens }: NonNullable<RowCounts['cut']>): string =>
  `${count(rows)} ${rows === 1 ? 'row is' : 'rows are'} cut at ${count(tokens)} tokens (data.maxLength)`

/** What is trained; shares are of the base model with its head. */
export function runLine(event: RunEvent): string {
  const { model: id, method, totalSteps, examples, weights, memoryBytes, classes, cut } = event as unknown as RunFields
  // Of a folder's path the last part says enough.
  const model = /^[./~]|^\w:/.test(id) ? (id.split(/[/\\]/).filter(Boolean).at(-1) ?? id) : id
  const { base, head, trained, merged } = weights
  const share = (n: number): string => `${count(n)} (${percent(n, base + head)})`
  const left = merged === trained ? '' : `, ${share(merged)} of them left at the end`
  const rows = [...(classes ? [classesLine(classes)] : []), ...(cut ? [cutLine(cut)] : [])]
  return [
    `${methodTitle(method)} on ${model}: ${share(trained)} of ${count(base + head)} weights${left}; with head ${share(trained + head)}`,
    `${count(examples)} examples, ${count(totalSteps)} steps${memoryBytes === undefined ? '' : `, about ${bytes(memoryBytes)} of memory`}`,
    ...rows,
  ].join('\n')
}

const notMetrics = new Set(['event', 'step', 'epoch', 'best', 'ms', 'time'])

/** `epoch 1.5`, with two decimals at most. */
export const epochText = (epoch: number): string => `epoch ${Number(epoch.toFixed(2))}`

/** `epoch 1  accuracy 81.1  f1 86.8  loss 0.45  best` */
export function evalLine(event: RunEvent, text: MetricText): string {
  const metrics = Object.entries(event).flatMap(([name, value]) =>
    notMetrics.has(name) || typeof value !== 'number' ? [] : [`${name} ${text(name, value)}`],
  )
  return [epochText(Number(event.epoch)), ...metrics, ...(event.best ? ['best'] : [])].join('  ')
}

/** A budget of ranks as it was given out. */
export function ranksLine(event: RunEvent): string {
  const ranks = Object.values(event.ranks as Record<string, number>)
  const sum = ranks.reduce((total, rank) => total + rank, 0)
  const empty = ranks.filter((rank) => rank === 0).length
  return `ranks are final: ${count(sum)} over ${count(ranks.length)} modules, ${count(empty)} of them at 0`
}
