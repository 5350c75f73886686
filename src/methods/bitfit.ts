import { UserError } from '../errors.ts'
import { defineMethod } from './definition.ts'
import { type InPlaceOptions, inPlace, inPlaceOptions } from './in-place.ts'
import { selectsLayer } from './layers.ts'

/** BitFit (Ben Zaken et al. 2022): every bias, norms included. */
export const bitfit = defineMethod<InPlaceOptions<'bitfit'>>({
  name: 'bitfit',
  summary: 'the biases (Ben Zaken et al. 2022)',
  options: inPlaceOptions('bitfit'),
  learningRate: 1e-3,
  create({ layers }, setting) {
    const trains = ({ name, layer }: { name: string; layer: number | null }): boolean =>
      name.endsWith('.bias') && selectsLayer(layers, layer, setting.layers)
    if (!setting.base.some(trains)) throw new UserError('BitFit trains biases, and this model has none there; use another method.')
    return inPlace('bitfit', trains)
  },
})
