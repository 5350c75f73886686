import { z } from 'zod'
import { type BaseParameter, type Method, unmixed } from '../nn/method.ts'
import { type Layers, layersOption } from './layers.ts'

export interface InPlaceOptions<Name extends string> {
  readonly name: Name
  readonly layers: Layers
}

/** The options of a method that only chooses layers. */
export const inPlaceOptions = <Name extends string>(name: Name) => z.strictObject({ name: z.literal(name), layers: layersOption })

/** A method that adds nothing and trains tensors of the base model where they are. */
export function inPlace(name: string, trains: (parameter: BaseParameter) => boolean): Method {
  return { name, ...unmixed, parameters: () => ({}), trains }
}

/** A method that leaves the model as it is. */
export const untouched: Method = inPlace('none', () => false)
