import type { z } from 'zod'
import type { BaseParameter, Method } from '../nn/method.ts'
import type { Site } from '../nn/site.ts'

/** The model a method is made for. */
export interface Setting {
  /** Every site of the model with its head, in order. */
  readonly sites: readonly Site[]
  /** Tensors of the base model and head, in order. */
  readonly base: readonly BaseParameter[]
  readonly layers: number
  /** Updates in the whole run; null outside of training. */
  readonly totalSteps: number | null
  /** What the method remembered in a checkpoint or adapter; null for a fresh one. */
  readonly memory: unknown
}

/** A method's options and what it remembers after training. */
export interface Trained<Options> {
  readonly options: Options
  readonly memory: unknown
}

/** A PEFT method: its options as a schema, and how it is made for one model. */
export interface MethodDefinition<Options = unknown> {
  readonly name: string
  /** One sentence for help texts. */
  readonly summary: string
  readonly options: z.ZodType<Options>
  /** Learning rate where a run names none. */
  readonly learningRate: number
  readonly create: (options: Options, setting: Setting) => Method
  /** What is saved of a trained method: the options of the ordinary method that stands for it, and what that remembers. */
  readonly plain?: (trained: Trained<Options>) => Trained<unknown>
  /** What of the options decides the function that given weights compute, besides their shapes: an adapter goes on under no other. */
  readonly form?: (options: Options) => Readonly<Record<string, unknown>>
  /** The options with another rank or width, for methods that a budget can size. */
  readonly resize?: (options: Options, size: number) => Options
}

/** Keeps the types of options and create together. */
export function defineMethod<Options>(definition: MethodDefinition<Options>): MethodDefinition<Options> {
  return definition
}
