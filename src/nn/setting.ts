import type { BaseParameter } from './method.ts'
import type { Site } from './site.ts'
import type { Tensor } from './tensor.ts'

/** The model a method is made for. */
export interface Setting {
  /** Every site of the model with its head, in order. */
  readonly sites: readonly Site[]
  /** Tensors of the base model and head, in order. */
  readonly base: readonly BaseParameter[]
  readonly layers: number
  readonly hidden: number
  /** A tensor of the base model as the checkpoint has it; null where it has none. */
  readonly tensor: (name: string) => Tensor | null
  /** The ids of a text's tokens, special ones included. */
  readonly encode: (text: string) => readonly number[]
  /** Updates in the whole run; null outside of training. */
  readonly totalSteps: number | null
  /** What the method remembered in a checkpoint or adapter; null for a fresh one. */
  readonly memory: unknown
}
