import type { Dim } from '../../graph/dim.ts'
import { product } from '../../graph/dim.ts'
import type { Node, Value } from '../../graph/graph.ts'
import { mul } from '../../graph/ops/elementwise.ts'
import { expand, reshape } from '../../graph/ops/movement.ts'
import type { Rules } from './rule.ts'

/** The gradient with the reduced axes put back at size 1. */
function restored({ inputs: [x, axes] }: Node, gradient: Value): { gradient: Value; count: Dim } {
  const source = axes!.source
  const reduced = source.kind === 'constant' ? Array.from(source.data) : []
  return {
    gradient: reshape(
      gradient,
      x!.shape.map((dim, i) => (reduced.includes(i) ? 1 : dim)),
    ),
    count: product(reduced.map((axis) => x!.shape[axis]!)),
  }
}

export const reduction: Rules = {
  ReduceSum: (node, [g]) => [expand(restored(node, g!).gradient, node.inputs[0]!.shape), null],
  ReduceMean: (node, [g]) => {
    const { gradient, count } = restored(node, g!)
    if (typeof count !== 'number') throw new Error('a mean over a size that only the batch fixes has no gradient rule: sum and divide')
    return [expand(mul(gradient, 1 / count), node.inputs[0]!.shape), null]
  },
  ReduceSumSquare: (node, [g]) => [mul(mul(node.inputs[0]!, 2), restored(node, g!).gradient), null],
}
