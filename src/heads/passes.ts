import type { Value } from '../graph/graph.ts'
import { add } from '../graph/ops/elementwise.ts'
import { split } from '../graph/ops/movement.ts'
import type { Consistency } from '../nn/consistency.ts'
import type { LossTerms, Objective } from './head.ts'

/** The terms of a loss whose passes lie one after another in `outputs`: the task's over those that count, and `between` two of them. */
export function overPasses(
  outputs: Value,
  { passes, consistency }: Objective,
  task: (pass: Value) => Value,
  between: (first: Value, second: Value, consistency: Consistency) => Value,
): LossTerms {
  if (consistency === null) return { task: task(outputs), consistency: null }
  const lanes = split(outputs, 0, passes)
  const counted = consistency.crossEntropy === 'both' ? lanes : lanes.slice(0, 1)
  return { task: counted.map(task).reduce(add), consistency: between(lanes[0]!, lanes[1]!, consistency) }
}
