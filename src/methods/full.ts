import { defineMethod } from './definition.ts'
import { type InPlaceOptions, inPlace, inPlaceOptions } from './in-place.ts'
import { selectsLayer } from './layers.ts'

/** Full fine-tuning: every tensor, or those of the selected layers. */
export const full = defineMethod<InPlaceOptions<'full'>>({
  name: 'full',
  summary: 'every weight of the model',
  options: inPlaceOptions('full'),
  learningRate: 2e-5,
  create: ({ layers }, setting) => inPlace('full', ({ layer }) => selectsLayer(layers, layer, setting.layers)),
})
