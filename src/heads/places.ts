import type { Example } from '../data/examples.ts'
import type { Batch } from '../data/pack.ts'
import type { Dim } from '../graph/dim.ts'
import type { Value } from '../graph/graph.ts'
import { input } from '../graph/graph.ts'
import { gather } from '../graph/ops/movement.ts'
import type { Network } from '../nn/network.ts'
import type { Targets } from './head.ts'

/** The hidden states of the tokens that `placesOf` names, `[size, hidden]`. */
export const seenAt = ({ graph }: Network, hidden: Value, size: Dim): Value => gather(hidden, input(graph, 'places', 'int32', [size]))

/** Where in the batch the tokens are that each example names by their place in its row; examples come again with each copy of the batch. */
export function placesOf(
  examples: readonly Example[],
  { rows, rowStart }: Batch,
  of: (example: Example) => readonly number[],
): Targets['feeds'] {
  const own = examples.map(of)
  const data = Array.from({ length: rows }, (_, row) => own[row % examples.length]!.map((place) => rowStart[row]! + place)).flat()
  return { places: { data: Int32Array.from(data), shape: [data.length] } }
}
