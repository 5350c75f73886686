import type { Dim } from './dim.ts'
import { evaluate, product } from './dim.ts'
import type { Node } from './graph.ts'

/** Floating-point operations of the matrix products among `nodes`, two for each multiply and add, as a function of the batch's sizes. */
export function flopCounter(nodes: readonly Node[]): (sizes: Readonly<Record<string, number>>) => number {
  const counts = new Map<Dim, number>()
  for (const { op, inputs, outputs, attributes } of nodes) {
    if (op !== 'Gemm' && op !== 'FusedMatMul') continue
    const left = inputs[0]!.shape
    const inner = left[left.length - (attributes.transA ? 2 : 1)]!
    const multiplications = product([...outputs[0]!.shape, inner])
    counts.set(multiplications, (counts.get(multiplications) ?? 0) + 2)
  }
  const terms = [...counts]
  return (sizes) => terms.reduce((sum, [dim, factor]) => sum + factor * evaluate(dim, sizes), 0)
}
