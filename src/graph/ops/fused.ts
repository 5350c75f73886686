import type { Value } from '../graph.ts'
import { append } from '../graph.ts'

/** The Gaussian error linear unit (Hendrycks and Gimpel 2016): exact, or its tanh approximation. */
export function gelu(x: Value, approximate: 'none' | 'tanh' = 'none'): Value {
  return append(x.graph, 'Gelu', [x], [{ dtype: x.dtype, shape: x.shape }], { approximate })[0]!
}
