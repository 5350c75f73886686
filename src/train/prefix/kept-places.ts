import type { Example } from '../../data/examples.ts'
import type { Arrangement } from '../../evaluate/arrangement.ts'
import { batchSizes, evenSizes } from '../../evaluate/stream-feeds.ts'
import type { Graph } from '../../graph/graph.ts'
import { frozenPrefix, type KeptValue, type SplitGraph } from '../../lowering/frozen-prefix.ts'
import type { Method } from '../../nn/method.ts'

/** Sizes of a usual row, for what is worth being kept. */
export const usualSizes = (passes: number): Readonly<Record<string, number>> => evenSizes(passes, 64)

/** A step's graph in two, where its prefix is worth being kept. */
export const splitStep = (graph: Graph, { passes }: Pick<Method, 'passes'>): SplitGraph | null =>
  frozenPrefix(graph, passes, usualSizes(passes))

/** A stretch of numbers. */
interface Place {
  readonly at: number
  readonly length: number
}

/** Where that lies which is kept of examples: a stretch for each value, in which examples follow each other. */
export interface KeptPlaces {
  readonly length: number
  /** The named sizes of each example alone. */
  readonly sizes: readonly Readonly<Record<string, number>>[]
  /** The slices of a value that belong to the example with this number. */
  of(value: number, example: number): Place
}

/** Lays out what is kept of examples. */
export function keptPlaces(kept: readonly KeptValue[], examples: readonly Example[], arranged: Arrangement, passes = 1): KeptPlaces {
  const sizes = examples.map((example) => batchSizes(arranged.batch(arranged.rows([example]), passes)))
  let length = 0
  const starts = kept.map(({ per, width }) => {
    const own = new Float64Array(examples.length + 1).fill(length)
    for (const [i, size] of sizes.entries()) own[i + 1] = own[i]! + (size[per]! / passes) * width
    length = own.at(-1)!
    return own
  })
  return {
    length,
    sizes,
    of(value, i) {
      const at = starts[value]![i]!
      return { at, length: starts[value]![i + 1]! - at }
    },
  }
}
