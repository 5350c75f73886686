import { UserError } from '../errors.ts'
import { defineMethod } from './definition.ts'
import { type InPlaceOptions, inPlace, inPlaceOptions } from './in-place.ts'
import { layerSelection } from './layers.ts'

/** The head alone; with `layers` also the whole of those layers, as in the papers' "top-2" rows. */
export const head = defineMethod<InPlaceOptions<'head'>>({
  name: 'head',
  summary: 'the head alone, the model frozen',
  options: inPlaceOptions('head'),
  learningRate: 1e-3,
  create({ layers }, setting) {
    const weighs = setting.sites.some((site) => site.kind === 'linear' && site.role === 'head')
    if (layers === null && !weighs) {
      throw new UserError(
        'The head of this model has no weights of its own: it uses the word embeddings. Take another method, or give "layers".',
      )
    }
    const selects = layerSelection(layers, setting)
    return inPlace('head', ({ layer }) => layers !== null && selects(layer))
  },
})
