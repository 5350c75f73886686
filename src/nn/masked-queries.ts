import type { Value } from '../graph/graph.ts'
import { and, cast, greater, mul, neg, not, sub, where } from '../graph/ops/elementwise.ts'
import { pad, rearrange, reshape, sizeOf } from '../graph/ops/movement.ts'
import type { Scored } from './attention.ts'
import type { Stream } from './stream.ts'

/** Tokens that nobody may attend to. */
export interface MaskedTokens {
  /** The same with zeros for masked tokens, `[tokens, n]`. */
  readonly cleared: (x: Value) => Value
  /** A bias of the scores, zero where null, for queries that are `cleared`: a masked token attends to all tokens of its row alike. */
  readonly evened: (bias: Value | null, scored: Scored) => Value
}

/**
 * HF's DeBERTa gives a masked token no embedding, and lets it attend to every token, masked ones too, with one weight. Its answers are
 * of no use, but the softmax of question answering runs over them.
 */
export function maskedTokens({ keyMask, slotMask, repack }: Stream): MaskedTokens {
  const [rows, length] = slotMask.shape as [string, string]
  const open = greater(keyMask, -1)
  const isOpen = rearrange(cast(reshape(open, [rows, length, 1]), slotMask.dtype), repack)
  const masked = and(reshape(greater(slotMask, 0), [rows, 1, 1, length]), not(open))
  const queries = reshape(not(masked), [rows, 1, length, 1])
  // What the mask of the keys takes from a score is given back.
  const back = where(masked, neg(keyMask), 0)
  return {
    cleared: (x) => mul(x, isOpen),
    evened(bias, { query, key }) {
      const { graph } = key
      const [from, to] = [sizeOf(graph, query.shape[2]!), sizeOf(graph, key.shape[2]!)]
      const whole = query.shape[2] === key.shape[2] ? back : pad(back, 3, sub(to, from), sub(from, from), key.shape[2]!)
      return where(queries, bias ?? 0, whole)
    },
  }
}
