import { type Dim, product } from '../graph/dim.ts'
import { constant, type Value } from '../graph/graph.ts'
import { add, cast, modulo, mul, sub } from '../graph/ops/elementwise.ts'
import { type Rearrangement, rearrange, reshape, sizeOf } from '../graph/ops/movement.ts'
import type { Stream } from './stream.ts'

/** Moves of a stream's tokens, each in parts for so many heads: from `[tokens * heads, n]` to `[rows, heads, length, n]` and back. */
interface HeadMoves {
  readonly unpack: Rearrangement
  readonly repack: Rearrangement
}

const known = new WeakMap<Value, Map<number, HeadMoves>>()

/** The indices are made once for all attentions with so many heads. */
function headMoves({ unpack, repack, slotMask }: Stream, heads: number): HeadMoves {
  const { index: tokens } = unpack
  const made = known.get(tokens) ?? new Map<number, HeadMoves>()
  known.set(tokens, made)
  const found = made.get(heads)
  if (found) return found
  const { graph } = tokens
  const [rows, length] = slotMask.shape as [Dim, Dim]
  const column = (shape: number[]): Value =>
    constant(
      graph,
      Array.from({ length: heads }, (_, head) => head),
      shape,
      tokens.dtype,
    )
  const slots = add(mul(reshape(tokens, [rows, 1, length]), heads), column([heads, 1]))
  // The token at (row, place) is at (row * heads + head) * length + place.
  const long = cast(sizeOf(graph, length), tokens.dtype)
  const place = modulo(repack.index, long)
  const first = reshape(add(mul(sub(repack.index, place), heads), place), [repack.index.shape[0]!, 1])
  const parts = reshape(add(first, mul(column([1, heads]), long)), [product([repack.index.shape[0]!, heads])])
  const moves: HeadMoves = {
    unpack: { index: slots, inverse: parts, read: null },
    repack: { index: parts, inverse: slots, read: reshape(slotMask, [rows, 1, length, 1]) },
  }
  made.set(heads, moves)
  return moves
}

/** `[tokens, heads * size]` as `[rows, heads, length, size]`. */
export function toHeads(stream: Stream, x: Value, heads: number): Value {
  const [tokens, width] = x.shape as [Dim, number]
  return rearrange(reshape(x, [product([tokens, heads]), width / heads]), headMoves(stream, heads).unpack)
}

/** `[rows, heads, length, size]` as `[tokens, heads * size]`. */
export function fromHeads(stream: Stream, x: Value): Value {
  const [heads, size] = [x.shape[1] as number, x.shape[3] as number]
  return reshape(rearrange(x, headMoves(stream, heads).repack), [stream.repack.index.shape[0]!, heads * size])
}
