import { UserError } from '../errors.ts'
import { type Method, type ParameterSpec, unmixed } from '../nn/method.ts'
import type { LinearSite, NormSite, Site } from '../nn/site.ts'
import { defineMethod } from './definition.ts'
import { type InPlaceOptions, inPlaceOptions } from './in-place.ts'
import { zeros } from './initial.ts'
import { layerSelection } from './layers.ts'

export const bitfitOptions = inPlaceOptions('bitfit')

/** BitFit (Ben Zaken et al. 2022): every bias of the encoder, norms included; each takes the place of the model's own, under its name. */
export const bitfit = defineMethod<InPlaceOptions<'bitfit'>>({
  name: 'bitfit',
  summary: 'the biases (Ben Zaken et al. 2022)',
  options: bitfitOptions,
  learningRate: 1e-3,
  create({ layers }, setting): Method {
    const { sites, tensor } = setting
    const selects = layerSelection(layers, setting)
    const acts = (site: Site): site is LinearSite | NormSite =>
      (site.kind === 'norm' || (site.kind === 'linear' && site.bias && !site.within && site.role !== 'head')) && selects(site.layer)
    if (!sites.some(acts)) throw new UserError('BitFit trains biases, and this model has none there; use another method.')
    return {
      name: 'bitfit',
      ...unmixed,
      parameters(site): Record<string, ParameterSpec> {
        if (!acts(site)) return {}
        const shape = [site.kind === 'norm' ? site.size : site.out]
        return { bias: { shape, init: () => tensor(`${site.name}.bias`)?.data ?? zeros(shape)([0, 0]) } }
      },
      linear: (_site, roles, { input, base }) => base(input, roles.bias),
      norm: (_site, roles, { input, base }) => base(input, roles.bias),
      trains: () => false,
    }
  },
})
