import { methodOf } from '../formats/index.ts'
import type { MethodOptions } from '../methods/index.ts'
import type { Method } from '../nn/method.ts'
import type { Outline, Subject } from './assembly.ts'

/** A method on a subject; `totalSteps` are the updates of the run that trains it, `memory` is what it has decided there. */
export const methodFor = (
  { model }: Subject,
  outline: Outline,
  options: MethodOptions,
  totalSteps: number | null = null,
  memory: unknown = null,
): Method => methodOf({ options, memory }, { model, outline }, totalSteps)
