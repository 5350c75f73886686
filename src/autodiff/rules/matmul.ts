import type { Node, Value } from '../../graph/graph.ts'
import { batchedMatmul, gemm } from '../../graph/ops/matmul.ts'
import { again } from '../again.ts'
import { unbroadcast } from './elementwise.ts'
import type { Rules } from './rule.ts'

function options({ attributes: { transA, transB, alpha } }: Node): { transposeA: boolean; transposeB: boolean; alpha: number } {
  return { transposeA: transA !== undefined, transposeB: transB !== undefined, alpha: typeof alpha === 'number' ? alpha : 1 }
}

/** Both products: dA = dY op(B)^T and dB = op(A)^T dY, with the transpositions folded into the kernels' flags. */
function productGradients(node: Node, product: typeof batchedMatmul): readonly [(g: Value) => Value, (g: Value) => Value] {
  const { transposeA, transposeB, alpha } = options(node)
  const [a, b] = [node.inputs[0]!, node.inputs[1]!]
  return [
    (g) =>
      transposeA ? product(b, g, { transposeA: transposeB, transposeB: true, alpha }) : product(g, b, { transposeB: !transposeB, alpha }),
    (g) =>
      transposeB
        ? product(g, again(a), { transposeA: true, transposeB: transposeA, alpha })
        : product(again(a), g, { transposeA: !transposeA, alpha }),
  ]
}

export const matmul: Rules = {
  Gemm: (node, [g], wants) => {
    const [da, db] = productGradients(node, (a, b, o) => gemm(a, b, null, o))
    const c = node.inputs[2]
    return [wants[0] ? da(g!) : null, wants[1] ? db(g!) : null, c && wants[2] ? unbroadcast(g!, c.shape) : null]
  },
  FusedMatMul: (node, [g], wants) => {
    const [da, db] = productGradients(node, batchedMatmul)
    return [wants[0] ? da(g!) : null, wants[1] ? db(g!) : null]
  },
}
