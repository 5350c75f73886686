import { product } from '../../graph/dim.ts'
import type { Node, Value } from '../../graph/graph.ts'
import { elements } from '../../graph/graph.ts'
import { cast, equal, mul, sub } from '../../graph/ops/elementwise.ts'
import { oneHot, scatterRows, unique } from '../../graph/ops/indexing.ts'
import { gemm } from '../../graph/ops/matmul.ts'
import { concat, gather, pad, reshape, sizeOf, slice, split, TO_THE_END, transpose } from '../../graph/ops/movement.ts'
import { unbroadcast } from './elementwise.ts'
import type { Rules } from './rule.ts'

/** The largest table whose one-hot matrix is made over all rows, not only over those that occur. */
const SMALL_TABLE = 1024

/**
 * The gradient of picking table rows: a product with a one-hot matrix, over the distinct indices where the table is large.
 * (ScatterND with addition loses updates when several threads meet the same row.)
 */
function tableGradient(table: Value, indices: Value, gradient: Value): Value {
  const width = product(table.shape.slice(1))
  const [rows, flat] = [table.shape[0]!, reshape(indices, [elements(indices)])]
  const updates = reshape(gradient, [elements(indices), width])
  if (typeof rows === 'number' && rows <= SMALL_TABLE) {
    return reshape(gemm(oneHot(flat, rows), updates, null, { transposeA: true }), table.shape)
  }
  const { values, inverse } = unique(flat)
  const places = reshape(cast(inverse, 'int32'), [1, elements(indices)])
  const numbers = reshape(cast(unique(values).inverse, 'int32'), [values.shape[0]!, 1])
  const membership = cast(equal(numbers, places), table.dtype)
  return reshape(scatterRows(rows, values, gemm(membership, updates)), table.shape)
}

function concatGradient({ inputs, attributes }: Node, gradient: Value): Value[] {
  const axis = (attributes.axis as { int: number }).int
  const sizes = inputs.map((value) => value!.shape[axis]!)
  if (sizes.every((size) => size === sizes[0])) return split(gradient, axis, inputs.length)
  if (sizes.every((size) => typeof size === 'number')) return split(gradient, axis, sizes)
  let start = 0
  return sizes.map((size, i) => {
    if (typeof size !== 'number') {
      if (i < sizes.length - 1) throw new Error('only the last part may have a size that the batch fixes')
      return slice(gradient, axis, start, TO_THE_END, size)
    }
    start += size
    return slice(gradient, axis, start - size, start, size)
  })
}

/** The gradient of a part of an axis: zeros around it. */
function sliceGradient({ inputs: [x, start], outputs: [out] }: Node, gradient: Value): Value {
  const axis = x!.shape.findIndex((dim, i) => dim !== out!.shape[i])
  if (axis < 0) return gradient
  const whole = sizeOf(x!.graph, x!.shape[axis]!)
  const before = cast(start!, 'int64')
  return pad(gradient, axis, before, sub(sub(whole, before), sizeOf(x!.graph, out!.shape[axis]!)), x!.shape[axis]!)
}

export const movement: Rules = {
  Reshape: ({ inputs: [x] }, [g]) => [reshape(g!, x!.shape), null],
  Transpose: ({ attributes }, [g]) => {
    const permutation = attributes.perm as readonly number[]
    return [
      transpose(
        g!,
        permutation.map((_, i) => permutation.indexOf(i)),
      ),
    ]
  },
  Gather: ({ inputs: [table, indices], saved: [inverse, read] }, [g]) => {
    if (!inverse) return [tableGradient(table!, indices!, g!), null]
    const back = gather(reshape(g!, [elements(indices!), ...table!.shape.slice(1)]), inverse)
    const open = read ? mul(back, read) : back
    return [reshape(open, table!.shape), null]
  },
  Split: ({ inputs, outputs, attributes }, gradients) => {
    const axis = (attributes.axis as { int: number }).int
    const whole = outputs.map((value, i) => gradients[i] ?? mul(value!, 0))
    return [concat(whole, axis), ...inputs.slice(1).map(() => null)]
  },
  Concat: (node, [g]) => concatGradient(node, g!),
  Slice: (node, [g]) => [sliceGradient(node, g!)],
  Expand: ({ inputs: [x] }, [g]) => [unbroadcast(g!, x!.shape), null],
}
