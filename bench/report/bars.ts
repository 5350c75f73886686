import type { Drawing } from '../../src/compare/report/drawing.ts'
import { tag, together } from '../../src/compare/report/markup.ts'
import { linear } from '../../src/compare/report/scale.ts'
import type { Spread } from '../steps/numbers.ts'
import type { Goal } from './goal.ts'

/** A ratio over its rounds, beside its goal. */
export interface Bar extends Goal {
  readonly ratio: Spread
}

const ROW = 22
const LENGTH = 334
/** The widest that a letter of a name is on average. */
const LETTER = 6.8
const edge = { right: 56, top: 34, bottom: 30 }

/** Ratios below each other with their spread, and a line where each goal is; those that miss it have another colour. */
export function goalBars(title: string, bars: readonly Bar[]): Drawing {
  const ends = bars.flatMap(({ ratio, most }) => [ratio.max, most ?? 0])
  const left = Math.ceil(16 + LETTER * Math.max(...bars.map(({ name }) => name.length)))
  const x = linear([0, ...ends], { from: left, to: left + LENGTH })
  const bottom = edge.top + bars.length * ROW
  const grid = x.ticks.map((tick) =>
    together(
      tag('line', { class: 'grid', x1: x.at(tick), x2: x.at(tick), y1: edge.top - 6, y2: bottom }),
      tag('text', { x: x.at(tick), y: bottom + 16, 'text-anchor': 'middle' }, String(Number(tick.toPrecision(6)))),
    ),
  )
  const rows = bars.map(({ name, ratio, most }, i) => {
    const [top, middle] = [edge.top + i * ROW, edge.top + i * ROW + 8]
    const met = most === null || ratio.median <= most
    const goal = most === null ? [] : [tag('line', { class: 'series c7', x1: x.at(most), x2: x.at(most), y1: top - 2, y2: top + 18 })]
    return together(
      tag('text', { x: left - 8, y: middle + 4, 'text-anchor': 'end' }, name),
      tag('rect', {
        class: `mark c${met ? 0 : 1}`,
        ...{ x: left, y: top, width: x.at(ratio.median) - left, height: ROW - 6, 'fill-opacity': 0.6 },
      }),
      tag('line', { class: `series c${met ? 0 : 1}`, x1: x.at(ratio.min), x2: x.at(ratio.max), y1: middle, y2: middle }),
      ...goal,
      tag('text', { x: x.at(Math.max(ratio.max, most ?? 0)) + 6, y: middle + 4 }, ratio.median.toPrecision(3)),
    )
  })
  const heading = tag('text', { class: 'title', x: 8, y: 18 }, title)
  return { title, width: left + LENGTH + edge.right, height: bottom + edge.bottom, content: together(heading, ...grid, ...rows) }
}
