import type { Value } from '../graph/graph.ts'
import { mul, sub } from '../graph/ops/elementwise.ts'

/** Added to scores, takes those out of a softmax where `present` is 0, and leaves those where it is 1. */
export const absent = (present: Value): Value => mul(sub(present, 1), 1e30)
