import { type Markup, tag } from './markup.ts'
import { drawingStyle } from './style.ts'

/** Something drawn on a sheet of its own. */
export interface Drawing {
  readonly title: string
  readonly width: number
  readonly height: number
  readonly content: Markup
}

const NAMESPACE = 'http://www.w3.org/2000/svg'

/** A drawing within a page. */
export const svg = ({ title, width, height, content }: Drawing): Markup =>
  tag('svg', { xmlns: NAMESPACE, viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' }, tag('title', {}, title), content)

/** Drawings below each other as a file of its own; ends in a line break. */
export function svgFile(title: string, drawings: readonly Drawing[]): string {
  const gap = 24
  const width = Math.max(...drawings.map((each) => each.width))
  let height = gap
  const placed = drawings.map((each) => {
    const moved = tag('g', { transform: `translate(0 ${height})` }, each.content)
    height += each.height + gap
    return moved
  })
  const box = { xmlns: NAMESPACE, viewBox: `0 0 ${width} ${height}`, width, height }
  const paper = tag('rect', { class: 'paper', width, height })
  return `${tag('svg', box, tag('title', {}, title), { markup: `<style>${drawingStyle}</style>` }, paper, ...placed).markup}\n`
}
