import type { Example } from '../data/examples.ts'
import type { Batch } from '../data/pack.ts'
import type { Dim } from '../graph/dim.ts'
import { input, type Value } from '../graph/graph.ts'
import { rearrange, reshape } from '../graph/ops/movement.ts'
import type { Network } from '../nn/network.ts'
import { someTokens } from '../nn/some-tokens.ts'
import type { Targets } from './head.ts'

/** The hidden states of the tokens that `placesOf` names, `[size, hidden]`; no token is named twice, so that the gradient is a gather. */
export function seenAt(network: Network, hidden: Value, size: Dim): Value {
  const { graph } = network
  const tokens = hidden.shape[0]!
  const index = input(graph, 'places', 'int32', [size])
  const inverse = input(graph, 'places.inverse', 'int32', [tokens])
  const read = input(graph, 'places.read', graph.float, [tokens])
  return someTokens(network, hidden, index, (x) =>
    rearrange(x, { index, inverse, read: reshape(read, [tokens, ...x.shape.slice(1).map(() => 1)]) }),
  )
}

/** Where in the batch the tokens are that each example names by their place in its row; examples come again with each copy of the batch. */
export function placesOf(
  examples: readonly Example[],
  { rows, tokens, rowStart }: Batch,
  of: (example: Example) => readonly number[],
): Targets['feeds'] {
  const own = examples.map(of)
  const found = Array.from({ length: rows }, (_, row) => own[row % examples.length]!.map((place) => rowStart[row]! + place)).flat()
  // The graph has no empty tensors: where nothing is asked for, each copy's first token stands in.
  const places = found.length > 0 ? found : Array.from({ length: rows / examples.length }, (_, copy) => rowStart[copy * examples.length]!)
  const [inverse, read] = [new Int32Array(tokens), new Float32Array(tokens)]
  places.forEach((token, place) => {
    inverse[token] = place
    read[token] = 1
  })
  return {
    places: { data: Int32Array.from(places), shape: [places.length] },
    'places.inverse': { data: inverse, shape: [tokens] },
    'places.read': { data: read, shape: [tokens] },
  }
}
