import type { Example } from '../data/examples.ts'
import type { Batch } from '../data/pack.ts'
import type { Dim } from '../graph/dim.ts'
import { input, type Value } from '../graph/graph.ts'
import { rearrange, reshape } from '../graph/ops/movement.ts'
import type { Network } from '../nn/network.ts'
import type { Targets } from './head.ts'

/** The hidden states of the tokens that `placesOf` names, `[size, hidden]`; no token is named twice, so that the gradient is a gather. */
export function seenAt({ graph }: Network, hidden: Value, size: Dim): Value {
  const tokens = hidden.shape[0]!
  return rearrange(hidden, {
    index: input(graph, 'places', 'int32', [size]),
    inverse: input(graph, 'places.inverse', 'int32', [tokens]),
    read: reshape(input(graph, 'places.read', graph.float, [tokens]), [tokens, 1]),
  })
}

/** The list, its end filled up so that it has equal parts. */
export const inEqualParts = <T>(list: readonly T[], parts: number, filling: () => T): T[] => [
  ...list,
  ...Array.from({ length: (parts - (list.length % parts)) % parts }, filling),
]

/**
 * Where in the batch the tokens are that each example names by their place in its row; examples come again with each copy of the batch. Those
 * of a copy are filled up to equal parts by its first one, which is asked for by its own place alone.
 */
export function placesOf(
  examples: readonly Example[],
  { rows, tokens, rowStart }: Batch,
  of: (example: Example) => readonly number[],
  parts = 1,
): Targets['feeds'] {
  const own = examples.map(of)
  const places = Array.from({ length: rows / examples.length }, (_, copy) => {
    const first = copy * examples.length
    const found = own.flatMap((named, row) => named.map((place) => rowStart[first + row]! + place))
    // The graph has no empty tensors: where nothing is asked for, the copy's first token stands in.
    return inEqualParts(found.length > 0 ? found : [rowStart[first]!], parts, () => found[0] ?? rowStart[first]!)
  }).flat()
  const [inverse, read] = [new Int32Array(tokens), new Float32Array(tokens)]
  places.forEach((token, place) => {
    if (read[token] === 1) return
    inverse[token] = place
    read[token] = 1
  })
  return {
    places: { data: Int32Array.from(places), shape: [places.length] },
    'places.inverse': { data: inverse, shape: [tokens] },
    'places.read': { data: read, shape: [tokens] },
  }
}
