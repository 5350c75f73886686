import type { Drawing } from './drawing.ts'
import { tag, together } from './markup.ts'

const CELL = { width: 46, height: 24 }
const edge = { left: 64, top: 96, right: 84 }

/** A rank by its layer, and by what it is called within the layer. */
interface Place {
  readonly layer: number | null
  readonly matrix: string
}

/** The last whole number of a module's name is its layer; what is the same in all names is left out. */
function placesOf(modules: readonly string[]): Place[] {
  const split = modules.map((name) => {
    const parts = name.split('.')
    const at = parts.findLastIndex((part) => /^\d+$/.test(part))
    return {
      before: parts.slice(0, Math.max(at, 0)).join('.'),
      layer: at < 0 ? null : Number(parts[at]),
      rest: parts.slice(at + 1).join('.'),
    }
  })
  const stacks = new Set(split.filter(({ layer }) => layer !== null).map(({ before }) => before)).size
  return split.map(({ before, layer, rest }) => ({ layer, matrix: stacks > 1 && layer !== null ? `${before}.${rest}` : rest }))
}

/** `attention.self.query` as `query`, with more of the name where the last word alone would be another's. */
function shortened(names: readonly string[]): string[] {
  const tail = (name: string, words: number): string => name.split('.').slice(-words).join('.')
  return names.map((name) => {
    const words = [1, 2, 3].find((count) => names.filter((other) => tail(other, count) === tail(name, count)).length === 1)
    return words ? tail(name, words) : name
  })
}

/** Ranks of a model's modules, layers down and matrices across. */
export function heatMap(title: string, ranks: Readonly<Record<string, number>>): Drawing {
  const places = placesOf(Object.keys(ranks))
  const layers = [...new Set(places.map(({ layer }) => layer))].sort((a, b) => (a ?? -1) - (b ?? -1))
  const matrices = [...new Set(places.map(({ matrix }) => matrix))]
  const labels = shortened(matrices)
  const most = Math.max(1, ...Object.values(ranks))
  const cells = Object.values(ranks).map((rank, i) => {
    const { layer, matrix } = places[i]!
    const [x, y] = [edge.left + matrices.indexOf(matrix) * CELL.width, edge.top + layers.indexOf(layer) * CELL.height]
    const middle = { x: x + CELL.width / 2, y: y + CELL.height / 2 + 4 }
    return together(
      tag(
        'rect',
        { class: 'cell', x, y, width: CELL.width - 2, height: CELL.height - 2, 'fill-opacity': 0.06 + (0.7 * rank) / most },
        tag('title', {}, `${Object.keys(ranks)[i]}: ${rank}`),
      ),
      tag('text', { ...middle, 'text-anchor': 'middle' }, String(Math.round(10 * rank) / 10)),
    )
  })
  const names = labels.map((label, i) => {
    const [x, y] = [edge.left + (i + 0.4) * CELL.width, edge.top - 6]
    return tag('text', { x, y, transform: `rotate(-35 ${x} ${y})`, class: 'small' }, label)
  })
  const rows = layers.map((layer, i) =>
    tag('text', { x: edge.left - 8, y: edge.top + i * CELL.height + 16, 'text-anchor': 'end' }, layer === null ? '–' : `layer ${layer}`),
  )
  const size = { width: edge.left + matrices.length * CELL.width + edge.right, height: edge.top + layers.length * CELL.height + 8 }
  return { title, ...size, content: together(tag('text', { class: 'title', x: 8, y: 18 }, title), ...names, ...rows, ...cells) }
}
