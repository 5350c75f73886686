import type { Graph, Node, Value } from '../graph/graph.ts'
import { batchedMatmul, gemm } from '../graph/ops/matmul.ts'
import { concat, split } from '../graph/ops/movement.ts'
import { type CarriedOver, carriedOver, unchanged } from '../graph/rewritten.ts'
import { grouped } from '../grouped.ts'
import { parameterTest } from './of-parameters.ts'

/** A product with fewer columns takes as long as it takes to read its left matrix. */
const NARROW = 64

const transposed = { transposeB: true }

/** Narrow products of one matrix with several of parameters, each with all of its group. */
function joinable({ nodes }: Graph): ReadonlyMap<Node, readonly Node[]> {
  const ofParameters = parameterTest()
  const isNarrow = ({ op, inputs: [, right, added], outputs: [result], attributes }: Node): boolean =>
    (op === 'Gemm' || op === 'FusedMatMul') &&
    !added &&
    Object.keys(attributes).join() === 'transB' &&
    (result!.shape.at(-1) as number) < NARROW &&
    right!.source.kind !== 'external' &&
    ofParameters(right!)
  const groups = [...grouped(nodes.filter(isNarrow), ({ inputs }) => inputs[0]!).values()].filter(({ length }) => length > 1)
  return new Map(groups.flatMap((group) => group.map((node) => [node, group] as const)))
}

/**
 * The graph, which is still to be differentiated, with narrow products of one matrix made as one, as those of LoRA's A at queries, keys and
 * values: `[x A₁ᵀ, x A₂ᵀ] = x [A₁; A₂]ᵀ` reads x once, and so for batched products. Its gradients are one product each by the same rule.
 */
export function joinedProducts(graph: Graph): CarriedOver {
  const groups = joinable(graph)
  if (groups.size === 0) return unchanged(graph)
  const made = new Map<Node, Value>()
  return carriedOver(graph, graph.nodes, (_to, carry) => ({
    differentiable: true,
    replaced(node, [left]) {
      const group = groups.get(node)
      if (!group) return null
      if (!made.has(node)) {
        const rights = group.map(({ inputs }) => carry(inputs[1]!))
        const columns = left!.shape.length - 1
        const product =
          node.op === 'Gemm' ? gemm(left!, concat(rights, 0), null, transposed) : batchedMatmul(left!, concat(rights, 1), transposed)
        const parts = split(
          product,
          columns,
          rights.map(({ shape }) => shape[columns - 1] as number),
        )
        for (const [i, each] of group.entries()) made.set(each, parts[i]!)
      }
      return [made.get(node)!]
    },
  }))
}
