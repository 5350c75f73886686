import type { BaseParameter } from './method.ts'
import type { Site } from './site.ts'

/** All places where a method could act, and all tensors of the model with its head. */
export interface Outline {
  readonly sites: readonly Site[]
  readonly base: ReadonlyMap<string, BaseParameter>
  /** The modules of the head that is on it. */
  readonly head: readonly string[]
}

/** Whether a tensor belongs to the head, so that every adapter with a task holds it. */
export const isHead = ({ head }: Pick<Outline, 'head'>, name: string): boolean => head.some((module) => name.startsWith(`${module}.`))
