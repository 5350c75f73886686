import { defineMethod } from './definition.ts'
import { type InPlaceOptions, inPlace, inPlaceOptions } from './in-place.ts'
import { layerSelection } from './layers.ts'

/** Full fine-tuning: every tensor, or those of the selected layers. */
export const full = defineMethod<InPlaceOptions<'full'>>({
  name: 'full',
  summary: 'every weight of the model',
  options: inPlaceOptions('full'),
  learningRate: 2e-5,
  create({ layers }, setting) {
    const selects = layerSelection(layers, setting)
    return inPlace('full', ({ layer }) => selects(layer))
  },
})
