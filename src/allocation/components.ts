import type { Value } from '../graph/graph.ts'
import { abs, add, mul, sqrt } from '../graph/ops/elementwise.ts'
import { reduceMean, reduceSum, reduceSumSquare } from '../graph/ops/reduction.ts'

/** The values of a module's parameters by role. */
export type FactorValues = Readonly<Record<string, Value>>

/** What a module's increment is a sum of, as an allocator sees it: components that live in one slice of each role. */
export interface Components {
  /** The axis along which each role has its slices, `[rank, n]` or `[n, rank]`, in the order in which scores are summed. */
  readonly axes: Readonly<Record<string, 0 | 1>>
  /** The roles whose slice is set to zero to mask a component; their zeros make its product zero. */
  readonly masked: readonly string[]
  /** The size of each component, `[rank]`. */
  readonly magnitude: (factors: FactorValues) => Value
}

/**
 * AdaLoRA's triplets: a row of A, a singular value of E, a column of B. Masking sets the singular value to zero and leaves A and B,
 * so that its gradient is not zero and it can grow back.
 */
export const triplets: Components = {
  axes: { 'A.weight': 0, 'B.weight': 1, 'E.weight': 0 },
  masked: ['E.weight'],
  magnitude: (factors) => reduceSum(abs(factors['E.weight']!), { axes: [1] }),
}

/** What masking a doublet sets to zero: both its vectors, or its column of B alone. */
export const doubletMasks = { doublet: ['A.weight', 'B.weight'], B: ['B.weight'] } as const

/**
 * LoRA's doublets: a row of A and a column of B, whose size is the singular value of their product. With both at zero neither has a
 * gradient, and only what Adam's moments still move grows back (the paper's pruned LoRA); with B's column alone at zero, A stays and
 * gives B a gradient, so that it can grow back as a singular value can.
 */
export const doublets = (zeroes: keyof typeof doubletMasks): Components => ({
  axes: { 'A.weight': 0, 'B.weight': 1 },
  masked: doubletMasks[zeroes],
  magnitude: (factors) =>
    sqrt(mul(reduceSumSquare(factors['A.weight']!, { axes: [1] }), reduceSumSquare(factors['B.weight']!, { axes: [0] }))),
})

/** Scores of components from scores of their elements: the mean over each slice, summed over the roles (Zhang et al. 2023). */
export const sumOfMeans = ({ axes }: Components, elements: (role: string) => Value): Value =>
  Object.entries(axes)
    .map(([role, axis]) => reduceMean(elements(role), { axes: [1 - axis] }))
    .reduce(add)
