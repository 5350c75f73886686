import type { Segment } from '../autodiff/segment.ts'
import type { Stretch } from '../nn/layer-segments.ts'

/**
 * So many layers at a time, as far as they follow each other, as segments whose inner results are made again. The last ones are not: the
 * backward pass begins with them.
 */
export function remadeLayers(layers: readonly Stretch[], together: number | null): Segment[] {
  if (together === null) return []
  const groups: { start: number; end: number; count: number }[] = []
  for (const { start, end } of layers) {
    const last = groups.at(-1)
    if (last && last.end === start && last.count < together) Object.assign(last, { end, count: last.count + 1 })
    else groups.push({ start, end, count: 1 })
  }
  return groups.map(({ start, end }, i) => ({ start, end, remade: i < groups.length - 1, atOnce: false }))
}

/** Stretches whose results nobody reads before their backward pass, which is made together with them. */
export const madeAtOnce = (stretches: readonly Stretch[]): Segment[] =>
  stretches.map(({ start, end }) => ({ start, end, remade: false, atOnce: true }))
