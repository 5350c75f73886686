import { type Graph, input, output, type Value } from '../graph/graph.ts'
import { gather, reshape } from '../graph/ops/movement.ts'
import type { Memory, Past } from '../nn/memory.ts'
import type { KeyValueSite } from '../nn/site.ts'

/** An attention whose keys and values are kept, and their width. */
export interface Kept {
  readonly name: string
  readonly width: number
}

export const parts = ['key', 'value'] as const
type Part = (typeof parts)[number]
/** The graph's name of what is kept. */
export const keptName = (name: string, part: Part): string => `${name}#${part}`
export const pastName = (name: string, part: Part): string => `past.${name}#${part}`

const widthOf = ({ heads, headSize }: KeyValueSite): number => heads * headSize

function give(graph: Graph, name: string, own: Readonly<Record<Part, Value>>): void {
  for (const part of parts) output(graph, keptName(name, part), own[part])
}

/** What a model has read of a text that it will not write, for attentions that read it: outputs. */
export const sourceMemory =
  (graph: Graph): Memory =>
  (site, key, value) => {
    if (site.reads === 'cross') give(graph, site.name, { key, value })
    return { key, value, past: null }
  }

/**
 * What a model has written: of each attention over it the keys and values of every token so far, `[slots, width]`, an index
 * `[rows, past]` of those that a row's text goes through, and where they stand. Those of the new tokens are outputs. Attentions that read
 * another text are fed what `sourceMemory` gave.
 */
export function writingMemory(kept: Kept[]): (graph: Graph) => Memory {
  return (graph) => {
    const index = input(graph, 'past', 'int32', ['rows', 'past'])
    const mask = reshape(input(graph, 'past.mask', graph.float, ['rows', 'past']), ['rows', 1, 1, 'past'])
    const columns = input(graph, 'past.columns', 'int32', ['past'])
    const first = input(graph, 'past.first', 'int32', ['rows'])
    return (site, key, value) => {
      const width = widthOf(site)
      if (site.reads === 'cross') {
        const [read, told] = parts.map((part) => input(graph, keptName(site.name, part), graph.float, ['tokens', width]))
        return { key: read!, value: told!, past: null }
      }
      if (site.reads === 'encoder') return { key, value, past: null }
      kept.push({ name: site.name, width })
      give(graph, site.name, { key, value })
      const [before, held] = parts.map((part) => gather(input(graph, pastName(site.name, part), graph.float, ['slots', width]), index))
      const past: Past = { key: before!, value: held!, mask, columns, first }
      return { key, value, past }
    }
  }
}
