import type { Value } from '../graph.ts'
import { append } from '../graph.ts'

/** Softmax over the last axis. */
export function softmax(x: Value): Value {
  return append(x.graph, 'Softmax', [x], [{ dtype: x.dtype, shape: x.shape }], { axis: { int: -1 } })[0]!
}

/** The logarithm of the softmax over the last axis. */
export function logSoftmax(x: Value): Value {
  return append(x.graph, 'LogSoftmax', [x], [{ dtype: x.dtype, shape: x.shape }], { axis: { int: -1 } })[0]!
}

/** Layer normalisation over the last axis (Ba et al. 2016); mean and inverse deviation are kept for the backward pass. */
export function layerNorm(x: Value, weight: Value, bias: Value | null, epsilon: number): Value {
  const statistics = { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] }
  const outputs = [{ dtype: x.dtype, shape: x.shape }, statistics, statistics]
  return append(x.graph, 'LayerNormalization', bias ? [x, weight, bias] : [x, weight], outputs, { axis: { int: -1 }, epsilon })[0]!
}

/** Division by the root of the mean square over the last axis (Zhang and Sennrich 2019); the inverse root is kept for the backward pass. */
export function rootMeanSquareNorm(x: Value, weight: Value, epsilon: number): Value {
  const outputs = [
    { dtype: x.dtype, shape: x.shape },
    { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] },
  ]
  return append(x.graph, 'SimplifiedLayerNormalization', [x, weight], outputs, { axis: { int: -1 }, epsilon })[0]!
}
