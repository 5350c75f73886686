import type { BaseParameter, Method } from '../nn/method.ts'

/** A method that adds nothing and trains tensors of the base model where they are. */
export function inPlace(name: string, trains: (parameter: BaseParameter) => boolean): Method {
  return { name, passes: 1, consistency: 0, lazy: false, parameters: () => ({}), trains }
}
