import type { Dim } from '../dim.ts'
import type { Value } from '../graph.ts'
import { append } from '../graph.ts'
import { broadcast } from './elementwise.ts'

export interface GemmOptions {
  readonly transposeA?: boolean
  readonly transposeB?: boolean
  readonly alpha?: number
}

function same(a: Dim, b: Dim, op: string): void {
  if (a !== b) throw new Error(`${op} of inner sizes ${a} and ${b}`)
}

/** `alpha * op(a) @ op(b) + c` for matrices; `c` broadcasts to the result. */
export function gemm(
  a: Value,
  b: Value,
  c: Value | null = null,
  { transposeA = false, transposeB = false, alpha = 1 }: GemmOptions = {},
): Value {
  if (a.shape.length !== 2 || b.shape.length !== 2) throw new Error(`Gemm of [${a.shape}] and [${b.shape}]`)
  const [m, k] = transposeA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!]
  const [l, n] = transposeB ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!]
  same(k, l, 'Gemm')
  if (c) broadcast([m, n], c.shape)
  const attributes = { ...(transposeA && { transA: { int: 1 } }), ...(transposeB && { transB: { int: 1 } }), ...(alpha !== 1 && { alpha }) }
  return append(a.graph, 'Gemm', c ? [a, b, c] : [a, b], [{ dtype: a.dtype, shape: [m, n] }], attributes)[0]!
}

/** Batched `alpha * op(a) @ op(b)` over equal leading axes; a transposition swaps the last two axes. */
export function batchedMatmul(a: Value, b: Value, { transposeA = false, transposeB = false, alpha = 1 }: GemmOptions = {}): Value {
  const rank = a.shape.length
  const lead = a.shape.slice(0, -2)
  if (rank < 3 || lead.join() !== b.shape.slice(0, -2).join()) throw new Error(`batched product of [${a.shape}] and [${b.shape}]`)
  const [ar, ac, br, bc] = [a.shape[rank - 2]!, a.shape[rank - 1]!, b.shape[rank - 2]!, b.shape[rank - 1]!]
  const [m, k] = transposeA ? [ac, ar] : [ar, ac]
  const [l, n] = transposeB ? [bc, br] : [br, bc]
  same(k, l, 'FusedMatMul')
  const attributes = { ...(transposeA && { transA: { int: 1 } }), ...(transposeB && { transB: { int: 1 } }), ...(alpha !== 1 && { alpha }) }
  return append(a.graph, 'FusedMatMul', [a, b], [{ dtype: a.dtype, shape: [...lead, m, n] }], attributes, 'com.microsoft')[0]!
}
