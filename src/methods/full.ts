import { z } from 'zod'
import { defineMethod } from './definition.ts'
import { inPlace } from './in-place.ts'
import { type Layers, layersOption, selectsLayer } from './layers.ts'

/** Full fine-tuning: every tensor, or those of the selected layers. */
export const full = defineMethod<{ name: 'full'; layers: Layers }>({
  name: 'full',
  summary: 'every weight of the model',
  options: z.strictObject({ name: z.literal('full'), layers: layersOption }),
  learningRate: 2e-5,
  create: ({ layers }, setting) => inPlace('full', ({ layer }) => selectsLayer(layers, layer, setting.layers)),
})
