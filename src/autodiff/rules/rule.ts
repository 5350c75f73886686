import type { Node, Value } from '../../graph/graph.ts'

/**
 * The reverse rule of one operator: given the gradients of its outputs, those of the operands that are wanted.
 * Operand gradients have the operand's shape; null stands for none.
 */
export type Rule = (node: Node, gradients: readonly (Value | null)[], wants: readonly boolean[]) => readonly (Value | null)[]
export type Rules = Readonly<Record<string, Rule>>
