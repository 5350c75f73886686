import type { Value } from '../graph.ts'
import { append, scalar } from '../graph.ts'

/** Bytes as floats: `scale * x`. */
export function dequantize(x: Value, scale: number): Value {
  const { graph } = x
  const floats = append(graph, 'DequantizeLinear', [x, scalar(graph, scale, 'float32')], [{ dtype: 'float32', shape: x.shape }])[0]!
  return floats
}
