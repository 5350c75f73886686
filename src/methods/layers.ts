import { z } from 'zod'
import { UserError } from '../errors.ts'
import type { Setting } from '../nn/setting.ts'

/** Which transformer layers a method acts in: `last 2`, `first 2`, a list of indices, or all. */
export const layersOption = z
  .union([
    z.string().regex(/^(first|last) [1-9]\d*$/, 'write "last 2", "first 2" or a list of layer numbers'),
    z.array(z.number().int().nonnegative()).min(1),
  ])
  .nullable()
  .default(null)
  .describe('`last 2`, `first 2` or a list of layer numbers; null: all, and what lies outside of them')
export type Layers = z.infer<typeof layersOption>

/** Whether a layer is selected; what lies outside of the layers only where there is no selection. */
export function selectsLayer(layers: Layers, layer: number | null, count: number): boolean {
  if (layers === null) return true
  if (layer === null) return false
  if (typeof layers !== 'string') return layers.includes(layer)
  const [end, number] = layers.split(' ')
  return end === 'first' ? layer < Number(number) : layer >= count - Number(number)
}

/**
 * Which layers of a model are selected; `layers` is as many as "last" counts from, and a decoder may have more.
 * @throws UserError for a number that no layer has
 */
export function layerSelection(chosen: Layers, { sites, layers }: Pick<Setting, 'sites' | 'layers'>): (layer: number | null) => boolean {
  const count = Math.max(layers, ...sites.map(({ layer }) => (layer ?? -1) + 1))
  const missing = Array.isArray(chosen) ? chosen.find((number) => number >= count) : undefined
  if (missing !== undefined)
    throw new UserError(`layers: there is no layer ${missing}; this model has ${count}, counted from 0 to ${count - 1}.`)
  return (layer) => selectsLayer(chosen, layer, layers)
}
