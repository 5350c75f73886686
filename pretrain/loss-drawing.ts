import { type ChartPoint, chart } from '../src/compare/report/chart.ts'
import { svgFile } from '../src/compare/report/drawing.ts'
import { mean } from '../src/metrics/moments.ts'
import { count, metric } from '../src/track/numbers.ts'

/** Updates whose losses are one point. */
const STRETCH = 40

type Event = Readonly<Record<string, number | string>>

const eventsOf = (record: string): Event[] =>
  record
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event)

/** Losses over stretches of updates, against the tokens read until then. */
function trained(events: readonly Event[]): ChartPoint[] {
  const steps = events.filter(({ event }) => event === 'step')
  let tokens = 0
  return Array.from({ length: Math.floor(steps.length / STRETCH) }, (_, i) => {
    const part = steps.slice(i * STRETCH, (i + 1) * STRETCH)
    tokens += part.reduce((sum, { tokens: own }) => sum + Number(own), 0)
    return { x: tokens, y: mean(part.map(({ taskLoss }) => Number(taskLoss))) }
  })
}

/** Losses on held-out texts, against the tokens read until then. */
function heldOut(events: readonly Event[]): ChartPoint[] {
  const points: ChartPoint[] = []
  let tokens = 0
  for (const event of events)
    if (event.event === 'step') tokens += Number(event.tokens)
    else if (event.event === 'eval') points.push({ x: tokens, y: Number(event.loss) })
  return points
}

/** The losses of runs, each given as its record, as an SVG file. */
export function lossDrawing(records: Readonly<Record<string, string>>): string {
  const series = Object.entries(records).flatMap(([name, record]) => {
    const events = eventsOf(record)
    return [
      { name: `${name}, training`, points: trained(events) },
      { name: `${name}, held out`, points: heldOut(events) },
    ]
  })
  const drawing = chart(
    series.filter(({ points }) => points.length > 0),
    {
      title: 'loss of hidden words',
      x: { title: 'tokens read', text: count },
      y: { title: 'loss', text: (value) => metric('loss', value) },
    },
  )
  return svgFile('adatune-tiny', drawing ? [drawing] : [])
}
