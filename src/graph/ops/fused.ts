import type { Value } from '../graph.ts'
import { append, constant } from '../graph.ts'
import { reshape } from './movement.ts'

/** The Gaussian error linear unit (Hendrycks and Gimpel 2016): exact, or its tanh approximation. */
export function gelu(x: Value, approximate: 'none' | 'tanh' = 'none'): Value {
  return append(x.graph, 'Gelu', [x], [{ dtype: x.dtype, shape: x.shape }], { approximate })[0]!
}

/**
 * Turns pairs of numbers by angles (Su et al. 2021), x `[n, heads * 2 half]`, cosines and sines `[n, half]`: in each head the numbers at i
 * and i + half are a pair.
 */
export function rotate(x: Value, cosines: Value, sines: Value): Value {
  const { graph } = x
  const [rows, width] = x.shape as [Value['shape'][number], number]
  const first = constant(graph, [0], [1], 'int64')
  const operands = [reshape(x, [1, rows, width]), first, cosines, sines]
  const turned = append(graph, 'RotaryEmbedding', operands, [{ dtype: x.dtype, shape: [1, rows, width] }], {}, 'com.microsoft')[0]!
  return reshape(turned, x.shape)
}
