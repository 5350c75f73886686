import type { Graph, Value } from '../graph/graph.ts'
import { input } from '../graph/graph.ts'
import type { Rearrangement } from '../graph/ops/movement.ts'
import { reshape } from '../graph/ops/movement.ts'

/** A packed batch of token rows, as graph inputs; a second one has sizes of its own but for `rows`. */
export interface Stream {
  readonly ids: Value
  readonly types: Value
  readonly positions: Value
  /** `[rows]`: the index of each row's first token. */
  readonly rowStart: Value
  /** `[rows]`: the index of each row's last token that may be attended. */
  readonly rowEnd: Value
  /** `[length]`: 0, 1, 2, ... */
  readonly columns: Value
  /** From `[tokens, ...]` to `[rows, length, ...]`; padding slots repeat token 0. */
  readonly unpack: Rearrangement
  /** From `[rows, length, ...]` back to `[tokens, ...]`. */
  readonly repack: Rearrangement
  /** `[rows, 1, 1, length]`: 0 for keys that may be attended, the most negative float elsewhere. */
  readonly keyMask: Value
  /** `[rows, length]`: 1 where a slot holds a token. */
  readonly slotMask: Value
}

const places = ['rowStart', 'rowEnd', 'unpack', 'repack']
const inputNames = [...places, 'ids', 'types', 'positions', 'columns', 'keyMask', 'slotMask']
const plain = (name: string): string => name.split('.').at(-1)!

/** Whether an input of that name is a stream's. */
export const isStreamInput = (name: string): boolean => inputNames.includes(plain(name))
/** Whether that one holds places in the batch. */
export const tellsPlaces = (name: string): boolean => places.includes(plain(name))

/** Declares the inputs of a stream; the one that every network has is without a name. */
export function declareStream(graph: Graph, name: string | null = null): Stream {
  const named = (what: string): string => (name === null ? what : `${name}.${what}`)
  const sized = (what: string): string => (name === null ? what : `${name}${what[0]!.toUpperCase()}${what.slice(1)}`)
  const [tokens, length] = [sized('tokens'), sized('length')]
  const ids = input(graph, named('ids'), 'int32', [tokens])
  const unpack = input(graph, named('unpack'), 'int32', ['rows', length])
  const repack = input(graph, named('repack'), 'int32', [tokens])
  const slotMask = input(graph, named('slotMask'), graph.float, ['rows', length])
  return {
    ids,
    types: input(graph, named('types'), 'int32', [tokens]),
    positions: input(graph, named('positions'), 'int32', [tokens]),
    rowStart: input(graph, named('rowStart'), 'int32', ['rows']),
    rowEnd: input(graph, named('rowEnd'), 'int32', ['rows']),
    columns: input(graph, named('columns'), 'int32', [length]),
    unpack: { index: unpack, inverse: repack, read: null },
    repack: { index: repack, inverse: unpack, read: reshape(slotMask, ['rows', length, 1]) },
    keyMask: reshape(input(graph, named('keyMask'), graph.float, ['rows', length]), ['rows', 1, 1, length]),
    slotMask,
  }
}
