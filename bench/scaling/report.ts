import { type ChartPoint, chart } from '../../src/compare/report/chart.ts'
import type { Drawing } from '../../src/compare/report/drawing.ts'
import { markdownTable } from '../../src/track/markdown-table.ts'
import type { Circumstances } from '../report/circumstances.ts'
import type { Told } from '../report/told.ts'
import { type Spread, type Summary, spread, spreadText } from '../steps/numbers.ts'
import { type Axis, axes, type Point, sizes } from './axes.ts'
import { powerLaw } from './power-law.ts'

/** What a point of an axis took, round by round. */
export interface PointResult extends Circumstances {
  readonly axis: string
  readonly value: number
  readonly point: Point
  readonly trainedWeights: number
  readonly rounds: readonly Summary[]
  readonly loads: readonly number[]
  readonly command: string
}

interface Figure {
  readonly name: string
  readonly unit: string
  readonly of: (round: Summary) => number
}

const figures: readonly Figure[] = [
  { name: 'step', unit: 'ms', of: ({ medianMs }) => medianMs },
  { name: 'peak', unit: 'MB', of: ({ peakMB }) => peakMB },
  { name: 'above the start', unit: 'MB', of: ({ peakMB, readyMB }) => peakMB - readyMB },
]

const { rows, length, layers, width, rank } = sizes.usual
const about = `Updates of a BERT with random weights and LoRA on all six linear maps, of AdaMix over it where experts are counted, dropout 0.1
(\`npm run bench -- scaling\`). What is not changed along an axis stays at ${rows} rows of ${length} tokens, ${layers} layers, width ${width}, rank ${rank}. All points
of an axis make their steps in turns; medians of rounds, smallest and largest in brackets, loads are in scaling.json. _Above
the start_ is the peak without what the process had before its first step. An exponent is that of the power law nearest to the points, by
least squares of the logarithms, and _explained_ the share of their variance that it explains.`

const drawnAt = ({ setting, drawn }: Axis, point: Point): number => drawn?.(point) ?? point[setting]!
const pointsOf = (axis: Axis, found: readonly PointResult[], { of }: Figure): { x: number; y: Spread }[] =>
  found.map(({ point, rounds }) => ({ x: drawnAt(axis, point), y: spread(rounds.map(of)) }))
const lawOf = (points: readonly { x: number; y: Spread }[]) => powerLaw(points.map(({ x, y }) => ({ x, y: y.median })))

/** The figures of a unit along an axis, with the power laws nearest to them. */
function drawing(axis: Axis, found: readonly PointResult[], unit: string): Drawing | null {
  const series = figures
    .filter((figure) => figure.unit === unit)
    .flatMap((figure) => {
      const points = pointsOf(axis, found, figure)
      const law = lawOf(points)
      const ends = points.map(({ x }) => x).filter((_, i, all) => i === 0 || i === all.length - 1)
      const measured = points.map(({ x, y }): ChartPoint => ({ x, y: y.median, low: y.min, high: y.max }))
      const fitted = law
        ? [{ name: `exponent ${law.exponent.toFixed(2)}`, marks: false, points: ends.map((x) => ({ x, y: law.at(x) })) }]
        : []
      return [{ name: figure.name, points: measured }, ...fitted]
    })
  return chart(series, {
    title: `${unit === 'ms' ? 'time' : 'memory'} of a step against ${axis.title}`,
    x: { title: axis.title, text: String, logarithmic: true },
    y: { title: unit, text: (value) => String(Number(value.toPrecision(3))), logarithmic: true },
    marks: true,
  })
}

/** Exponents of each axis, and the points that they are fitted to, for each number of threads and kind of processor. */
export function scalingTold(results: Readonly<Record<string, PointResult>>): Told {
  const placeOf = (key: string): string => key.slice(key.indexOf(',') + 2)
  const places = [...new Set(Object.keys(results).map(placeOf))]
  const all = Object.entries(axes).flatMap(([name, axis]) =>
    places.flatMap((place) => {
      const found = Object.entries(results).flatMap(([key, result]) => (result.axis === name && placeOf(key) === place ? [result] : []))
      return found.length > 0 ? [{ name, axis, place, found: found.toSorted((a, b) => a.value - b.value) }] : []
    }),
  )
  const exponents = all.flatMap(({ name, axis, place, found }) =>
    figures.flatMap((figure) => {
      const law = lawOf(pointsOf(axis, found, figure))
      return law
        ? [
            [
              name,
              place,
              `${figure.name}, ${figure.unit}`,
              law.exponent.toFixed(2),
              Number.isFinite(law.explained) ? law.explained.toFixed(3) : '',
            ],
          ]
        : []
    }),
  )
  const points = all.flatMap(({ name, axis, place, found }) =>
    found.map((result) => [
      ...[name, place, String(drawnAt(axis, result.point)), String(result.trainedWeights)],
      ...figures.map(({ of }) => spreadText(spread(result.rounds.map(of)))),
    ]),
  )
  const missing = Object.keys(axes).filter((name) => all.every((each) => each.name !== name))
  return {
    title: 'Scaling',
    text: [
      about,
      ...(exponents.length > 0 ? [markdownTable(['axis', 'on', 'figure', 'exponent', 'explained'], exponents)] : []),
      ...(points.length > 0
        ? [markdownTable(['axis', 'on', 'at', 'trained weights', ...figures.map(({ name, unit }) => `${name}, ${unit}`)], points)]
        : []),
    ].join('\n\n'),
    measured: all.flatMap(({ name, found }) => found.map((result) => ({ what: `${name} ${result.value}`, ...result }))),
    missing: missing.length > 0 ? [`npm run bench -- scaling ${missing.join(' ')}`] : [],
    drawings: Object.fromEntries(
      all.map(({ name, axis, place, found }) => [
        `scaling-${name}${places.length > 1 ? `-${place.replaceAll(/\W+/g, '-')}` : ''}`,
        ['ms', 'MB'].flatMap((unit) => drawing(axis, found, unit) ?? []),
      ]),
    ),
  }
}
