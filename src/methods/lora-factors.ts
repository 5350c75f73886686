import type { Value } from '../graph/graph.ts'
import { gemm } from '../graph/ops/matmul.ts'
import type { Roles, Tensor } from '../nn/method.ts'
import type { LinearCall } from '../nn/site.ts'
import { onHost } from './algebra.ts'

/** Roles of LoRA's parameters. */
export const [A, B, MAGNITUDE] = ['A.weight', 'B.weight', 'magnitude.weight'] as const
/** What a start took over from the base model, held fixed. */
export const [A0, B0] = ['A0.weight', 'B0.weight'] as const

/** The base model without `s B₀ A₀`. */
export function without(roles: Roles, scale: number, call: LinearCall): LinearCall {
  const [a, b] = [roles[A0]!, roles[B0]!]
  const base = (x: Value, bias?: Value): Value =>
    gemm(gemm(x, a, null, { transposeB: true }), b, call.base(x, bias), { transposeB: true, alpha: -scale })
  return {
    ...call,
    base,
    get weight() {
      return gemm(b, a, call.weight, { alpha: -scale })
    },
  }
}

/** `[A; A₀]` and `[B, -B₀]` of a site on the host, whose product is `B A - B₀ A₀`. */
export function joined(of: (role: string) => Tensor): Record<typeof A | typeof B, Tensor> {
  const [a, b, a0, b0] = [A, B, A0, B0].map(of) as [Tensor, Tensor, Tensor, Tensor]
  const taken = { shape: b0.shape, data: b0.data.map((value) => -value) }
  return { [A]: onHost.concat([a, a0], 0), [B]: onHost.concat([b, taken], 1) }
}
