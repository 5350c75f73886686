import type { Drawing } from './drawing.ts'
import { type Markup, tag, together } from './markup.ts'
import { linear, logarithmic, type Range, type Scale } from './scale.ts'

/** A point of a series; with the ends of an interval, where it has one. */
export interface ChartPoint {
  readonly x: number
  readonly y: number
  readonly low?: number
  readonly high?: number
}

/** What belongs together: joined by a line, or single points. */
export interface Series {
  readonly name: string
  readonly points: readonly ChartPoint[]
  /** Whether its points are marked, where it is unlike the others. */
  readonly marks?: boolean
}

interface AxisOptions {
  readonly title: string
  readonly text: (value: number) => string
  readonly logarithmic?: boolean
}

export interface ChartOptions {
  readonly title: string
  readonly x: AxisOptions
  readonly y: AxisOptions
  /** Whether points are marked; lines alone by default. */
  readonly marks?: boolean
}

const WIDTH = 680
const HEIGHT = 340
const edge = { left: 64, right: 16, top: 30, bottom: 46 }
/** Colours that the page knows; series beyond them are dashed. */
const COLOURS = 8

const legendColumns = 3
const legendRow = 18

/** The class of a series' colour and how its line is broken. */
const lineOf = (index: number) => ({
  class: `series c${index % COLOURS}`,
  'stroke-dasharray': ['none', '6 3', '2 3', '8 3 2 3'][Math.floor(index / COLOURS) % 4]!,
})

function frame(x: Scale, y: Scale, options: ChartOptions): Markup {
  const [right, bottom] = [WIDTH - edge.right, HEIGHT - edge.bottom]
  const across = y.ticks.map((tick) =>
    together(
      tag('line', { class: 'grid', x1: edge.left, x2: right, y1: y.at(tick), y2: y.at(tick) }),
      tag('text', { x: edge.left - 6, y: y.at(tick) + 4, 'text-anchor': 'end' }, options.y.text(tick)),
    ),
  )
  const along = x.ticks.map((tick) =>
    together(
      tag('line', { class: 'grid', x1: x.at(tick), x2: x.at(tick), y1: edge.top, y2: bottom }),
      tag('text', { x: x.at(tick), y: bottom + 16, 'text-anchor': 'middle' }, options.x.text(tick)),
    ),
  )
  return together(
    ...across,
    ...along,
    tag('text', { class: 'title', x: edge.left, y: 18 }, options.title),
    tag('text', { x: (edge.left + right) / 2, y: bottom + 36, 'text-anchor': 'middle' }, options.x.title),
    tag(
      'text',
      { x: 14, y: (edge.top + bottom) / 2, 'text-anchor': 'middle', transform: `rotate(-90 14 ${(edge.top + bottom) / 2})` },
      options.y.title,
    ),
  )
}

function legend(series: readonly Series[]): Markup {
  const width = (WIDTH - edge.left) / legendColumns
  return together(
    ...series.map(({ name }, i) => {
      const [x, y] = [edge.left + (i % legendColumns) * width, HEIGHT + 4 + Math.floor(i / legendColumns) * legendRow]
      const most = 32
      return together(
        tag('line', { ...lineOf(i), x1: x, x2: x + 18, y1: y - 4, y2: y - 4 }),
        tag('text', { x: x + 24, y }, name.length > most ? `${name.slice(0, most - 1)}…` : name),
      )
    }),
  )
}

/** Logarithmic where that is asked for and can be. */
const scaleOf = ({ logarithmic: wanted }: AxisOptions, values: readonly number[], pixels: Range): Scale =>
  (wanted && values.every((value) => value > 0) ? logarithmic : linear)(values, pixels)

/** Series on one pair of axes; null where there is nothing to draw. */
export function chart(given: readonly Series[], options: ChartOptions): Drawing | null {
  const series = given.map(({ points, ...rest }) => ({
    ...rest,
    points: points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)),
  }))
  const all = series.flatMap(({ points }) => points)
  if (all.length === 0) return null
  const xs = all.map(({ x }) => x)
  const x = scaleOf(options.x, xs, { from: edge.left, to: WIDTH - edge.right })
  const ys = all.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y])
  const y = scaleOf(options.y, ys, { from: HEIGHT - edge.bottom, to: edge.top })
  const drawn = series.map(({ name, points, marks = options.marks ?? false }, i) => {
    const path = points.map((point, k) => `${k === 0 ? 'M' : 'L'}${x.at(point.x).toFixed(1)} ${y.at(point.y).toFixed(1)}`).join('')
    const told = (point: ChartPoint): string => `${name}: ${options.x.text(point.x)}, ${options.y.text(point.y)}`
    return together(
      ...(points.length > 1 ? [tag('path', { ...lineOf(i), d: path })] : []),
      ...points.flatMap((point) =>
        point.low === undefined || point.high === undefined
          ? []
          : [tag('line', { ...lineOf(i), x1: x.at(point.x), x2: x.at(point.x), y1: y.at(point.low), y2: y.at(point.high) })],
      ),
      ...(marks || points.length === 1
        ? points.map((point) =>
            tag('circle', { class: `mark c${i % COLOURS}`, cx: x.at(point.x), cy: y.at(point.y), r: 4 }, tag('title', {}, told(point))),
          )
        : []),
    )
  })
  const height = HEIGHT + 8 + Math.ceil(series.length / legendColumns) * legendRow
  return { title: options.title, width: WIDTH, height, content: together(frame(x, y, options), ...drawn, legend(series)) }
}
