import { UserError } from '../errors.ts'
import { type Base, roundings } from '../lowering/bases.ts'
import { inFormsOf } from '../lowering/device-forms.ts'
import { roundedProducts } from '../lowering/frozen-products.ts'
import { type Model, openConfig, openModel } from '../models/open.ts'
import type { DeviceChoice } from '../onnx/devices.ts'
import { openDevice } from '../runtime/open-device.ts'
import { cacheFolder } from '../weights/cache-folder.ts'
import { inFloat32 } from '../weights/float32-copy.ts'
import { resolveModel } from '../weights/hub.ts'
import { withRoundedBase } from './rounded-base.ts'

/** How a model computes. */
export interface Computing {
  /** `int8` and `int4` make the products with frozen matrices in whole numbers, from weights of 8 or 4 bits; `float32` by default. */
  readonly base?: Base | undefined
  /** `auto` takes the fastest of those that are there; `cpu` by default. */
  readonly device?: DeviceChoice | undefined
}

/** Products in whole numbers are the processor's alone. */
function assertFits({ base = 'float32', device }: Computing): void {
  if (roundings[base] && (device === 'webgpu' || device === 'cuda'))
    throw new UserError(`The base ${base} has no products on the device ${device}: leave it out, or take the device cpu.`)
}

/** A model with its weights, by folder or hub id. The device is tried first. */
export async function findModel(id: string, notice: (text: string) => void = () => {}, computing: Computing = {}): Promise<Model> {
  const { base = 'float32', device: choice = 'cpu' } = computing
  assertFits(computing)
  const rounding = roundings[base]
  const device = rounding ? 'cpu' : await openDevice(choice, notice)
  const model = openModel(await resolveModel(id, process.env, notice), (checkpoint) => inFloat32(checkpoint, cacheFolder()))
  if (!rounding) return { ...model, device, lowered: (graph) => inFormsOf(device, graph) }
  const { model: rounded, kept, error } = await withRoundedBase(model, { name: base, rounding }, cacheFolder())
  const { bits } = rounding
  const exceptions = kept.length > 0 ? `; too far off in ${bits} bits and kept in float32: ${kept.join(', ')}` : ''
  notice(`Frozen weights in ${bits} bits: on random tokens the hidden states are off by ${(100 * error).toFixed(1)} %${exceptions}.`)
  return rounded
}

/** A model's configuration alone, with its tokenizer beside it; no weights are fetched. */
export async function findConfig(id: string, computing: Computing = {}): Promise<Model> {
  assertFits(computing)
  const model = openConfig(await resolveModel(id, process.env, () => {}, 'description'))
  const rounding = roundings[computing.base ?? 'float32']
  return rounding ? { ...model, lowered: (graph, lowering) => roundedProducts(graph, { rounding, copy: null }, lowering) } : model
}
