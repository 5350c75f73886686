import { product } from '../graph/dim.ts'
import type { Value } from '../graph/graph.ts'
import { concat, split } from '../graph/ops/movement.ts'
import { grouped } from '../grouped.ts'

/** Elements of a tensor up to which the operators of its update cost more than its numbers. */
const SMALL = 2 ** 16

/** Tensors that are updated as one, end to end along axis 0. */
export interface Stack<T> {
  readonly members: readonly T[]
  /** What each member has, as one. */
  joined(of: (member: T) => Value): Value
  /** What was made of the stack, member by member. */
  apart(value: Value): Value[]
}

/**
 * Small tensors of one trailing shape and one `kind` as stacks, all others alone, in the order of their first members: whatever is done
 * element by element, or by slices of axis 0, may be done to a stack.
 */
export function stacksOf<T>(all: readonly T[], shapeOf: (one: T) => readonly number[], kindOf: (one: T) => string): Stack<T>[] {
  const keyOf = (one: T): unknown => {
    const shape = shapeOf(one)
    const small = shape.length > 0 && (product(shape) as number) <= SMALL
    return small ? `${shape.length} ${shape.slice(1)} ${kindOf(one)}` : one
  }
  return [...grouped(all, keyOf).values()].map((members) => ({
    members,
    joined: (of) => concat(members.map(of), 0),
    apart: (value) =>
      members.length === 1
        ? [value]
        : split(
            value,
            0,
            members.map((member) => shapeOf(member)[0]!),
          ),
  }))
}
