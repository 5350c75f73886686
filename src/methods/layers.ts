import { z } from 'zod'

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
