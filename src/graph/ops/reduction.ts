import type { Shape } from '../dim.ts'
import type { Value } from '../graph.ts'
import { append, constant, scalar } from '../graph.ts'

export interface ReduceOptions {
  readonly axes?: readonly number[]
  readonly keep?: boolean
}

function reduce(op: string, x: Value, { axes = x.shape.map((_, i) => i), keep = false }: ReduceOptions): Value {
  const positive = axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis))
  const shape: Shape = keep ? x.shape.map((dim, i) => (positive.includes(i) ? 1 : dim)) : x.shape.filter((_, i) => !positive.includes(i))
  const axesValue = constant(x.graph, positive, [positive.length], 'int64')
  return append(x.graph, op, [x, axesValue], [{ dtype: x.dtype, shape }], { keepdims: { int: keep ? 1 : 0 } })[0]!
}

/** The sum over `axes` (all by default). */
export const reduceSum = (x: Value, options: ReduceOptions = {}): Value => reduce('ReduceSum', x, options)
/** The mean over `axes` (all by default). */
export const reduceMean = (x: Value, options: ReduceOptions = {}): Value => reduce('ReduceMean', x, options)
/** The largest over `axes` (all by default). */
export const reduceMax = (x: Value, options: ReduceOptions = {}): Value => reduce('ReduceMax', x, options)
/** The smallest over `axes` (all by default). */
export const reduceMin = (x: Value, options: ReduceOptions = {}): Value => reduce('ReduceMin', x, options)
/** The sum of squares over `axes` (all by default). */
export const reduceSumSquare = (x: Value, options: ReduceOptions = {}): Value => reduce('ReduceSumSquare', x, options)

/** Sums along an axis up to each element, which is counted or not. */
export function cumulativeSum(x: Value, axis: number, { exclusive = false }: { readonly exclusive?: boolean } = {}): Value {
  const attributes = { exclusive: { int: exclusive ? 1 : 0 } }
  return append(x.graph, 'CumSum', [x, scalar(x.graph, axis, 'int32')], [{ dtype: x.dtype, shape: x.shape }], attributes)[0]!
}
