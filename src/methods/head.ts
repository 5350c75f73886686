import { z } from 'zod'
import { defineMethod } from './definition.ts'
import { inPlace } from './in-place.ts'
import { type Layers, layersOption, selectsLayer } from './layers.ts'

/** The head alone; with `layers` also the whole of those layers, as in the papers' "top-2" rows. */
export const head = defineMethod<{ name: 'head'; layers: Layers }>({
  name: 'head',
  summary: 'the head alone, the model frozen',
  options: z.strictObject({ name: z.literal('head'), layers: layersOption }),
  learningRate: 1e-3,
  create: ({ layers }, setting) => inPlace('head', ({ layer }) => layers !== null && selectsLayer(layers, layer, setting.layers)),
})
