import type { Tensor } from '../nn/method.ts'
import { readTensor } from '../weights/safetensors.ts'
import { DTYPE_BYTES, type Dtype, type TensorEntry } from '../weights/tensor-entry.ts'
import type { Subject } from './adapter.ts'

/** Some of a model's weights, by which it is known again in other element types, too. */
export interface BaseWeights {
  readonly dtype: Dtype
  readonly values: readonly number[]
}

const VALUES = 128
/** Places in a tensor that lie far apart from one value to the next. */
const GOLDEN = (Math.sqrt(5) - 1) / 2

/** How far weights may lie apart that stand for the same, over their size: what rounding to an element type does, with room. */
const ROUNDING: Partial<Record<Dtype, number>> = { F16: 1e-3, BF16: 5e-3 }
const OTHERWISE = 1e-4

function valueAt(entry: TensorEntry, share: number): number {
  const size = DTYPE_BYTES[entry.dtype]
  const at = Math.floor((share % 1) * (entry.bytes / size))
  return readTensor({ ...entry, shape: [1], offset: entry.offset + at * size, bytes: size })[0]!
}

/** Values of the layers' linear maps, but for tensors that an adapter brings along; null where there are none. */
export function baseWeights({ model, outline }: Subject, state: ReadonlyMap<string, Tensor>): BaseWeights | null {
  const names = outline.sites.filter(({ kind, layer }) => kind === 'linear' && layer !== null).map(({ name }) => `${name}.weight`)
  const entries = names.flatMap((name) => (state.has(name) ? [] : (model.find(name) ?? [])))
  if (entries.length === 0) return null
  const values = Array.from({ length: VALUES }, (_, i) => {
    const value = valueAt(entries[Math.floor((i * entries.length) / VALUES)]!, i * GOLDEN)
    return Number(value.toPrecision(6))
  })
  return { dtype: entries[0]!.dtype, values }
}

const norm = (values: readonly number[]): number => Math.hypot(...values)

/** What to say where an adapter was made for other weights than these, else null. */
export function otherWeights(folder: string, made: BaseWeights, found: BaseWeights): string | null {
  const most = Math.max(...[made, found].map(({ dtype }) => ROUNDING[dtype] ?? OTHERWISE))
  const apart = made.values.map((value, i) => value - (found.values[i] ?? Number.NaN))
  if (norm(apart) <= most * norm(made.values)) return null
  return `${folder} was made for a model with other weights, so that its answers may mean nothing here; where it is merged into this model already, take the model alone.`
}
