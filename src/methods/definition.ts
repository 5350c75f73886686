import type { z } from 'zod'
import type { Method } from '../nn/method.ts'
import type { Setting } from '../nn/setting.ts'

export type { Setting }

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
  /** Learning rate where a run names none; it may depend on the options. */
  readonly learningRate: number | ((options: Options) => number)
  readonly create: (options: Options, setting: Setting) => Method
  /** What is saved of a trained method: the options of the ordinary method that stands for it, and what that remembers. */
  readonly plain?: (trained: Trained<Options>) => Trained<unknown>
  /** What of the options decides the function that given weights compute, besides their shapes: an adapter goes on under no other. */
  readonly form?: (options: Options) => Readonly<Record<string, unknown>>
  /** Its size in words, such as `r 8`, for methods that come in several. */
  readonly size?: (options: Options) => string
  /** The options with another rank or width, for methods that a budget can size. */
  readonly resize?: (options: Options, size: number) => Options
}

/** Keeps the types of options and create together. */
export function defineMethod<Options>(definition: MethodDefinition<Options>): MethodDefinition<Options> {
  return definition
}

/** A method by its name and size: `lora r 8`. */
export const titleOf = <Options>({ name, size }: MethodDefinition<Options>, options: Options): string =>
  [name, size?.(options)].filter(Boolean).join(' ')

/** The learning rate of a method where a run names none. */
export const rateOf = <Options>({ learningRate }: MethodDefinition<Options>, options: Options): number =>
  typeof learningRate === 'number' ? learningRate : learningRate(options)
