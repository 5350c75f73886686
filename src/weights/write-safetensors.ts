import { writeAtomically } from './atomic-file.ts'
import { DTYPE_BYTES, elementCount } from './tensor-entry.ts'

/** How values are stored, and the arrays that hold them: half precision as its bits. */
interface StoredArrays {
  readonly F32: Float32Array
  readonly F16: Uint16Array
  readonly I8: Int8Array
  readonly U8: Uint8Array
}
type Stored<Type extends keyof StoredArrays> = {
  readonly shape: readonly number[]
  readonly dtype: Type
  readonly data: StoredArrays[Type] | (() => StoredArrays[Type])
}

/** One tensor to write, row-major, f32 where no type is told; a function is called when its turn comes, so that one tensor is in memory at a time. */
export type TensorSource = (Omit<Stored<'F32'>, 'dtype'> & { readonly dtype?: 'F32' }) | Stored<'F16'> | Stored<'I8'> | Stored<'U8'>

type Named = readonly [string, TensorSource]

/**
 * The bytes of a safetensors file in pieces, in order: length and header first, then one piece per tensor. Byte for byte
 * what the Rust library writes: header padded with spaces to 8 bytes, wider types first, then by name in byte order.
 * @throws RangeError for a name given twice or reserved, or data that does not fit its shape
 */
export function* encodeSafetensors(tensors: Iterable<Named>, metadata?: Readonly<Record<string, string>>): Generator<Uint8Array> {
  const ordered = inOrder(tensors)
  yield headerBytes(ordered, metadata)
  for (const [name, { shape, data }] of ordered) {
    const values = typeof data === 'function' ? data() : data
    if (values.length !== elementCount(shape)) throw new RangeError(`tensor "${name}" of shape [${shape}] has ${values.length} values`)
    yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  }
}

/**
 * Writes a safetensors file, whole or not at all (see `writeAtomically`); its folder must exist.
 * @param metadata text pairs for `__metadata__`, which PEFT gives as `{ format: 'pt' }`; left out of the file where undefined
 * @throws UserError where the file system refuses; RangeError as `encodeSafetensors`
 */
export function writeSafetensors(file: string, tensors: Iterable<Named>, metadata?: Readonly<Record<string, string>>): void {
  writeAtomically(file, (append) => {
    for (const piece of encodeSafetensors(tensors, metadata)) append(piece)
  })
}

const typeOf = ({ dtype = 'F32' }: TensorSource): keyof StoredArrays => dtype

function inOrder(tensors: Iterable<Named>): Named[] {
  const keyed = Array.from(tensors, (tensor) => ({ tensor, key: Buffer.from(tensor[0]) }))
  keyed.sort((a, b) => a.key.compare(b.key))
  keyed.forEach(({ tensor: [name], key }, i) => {
    if (name === '__metadata__' || /\p{Surrogate}/u.test(name)) throw new RangeError(`${JSON.stringify(name)} cannot name a tensor`)
    if (keyed[i - 1]?.key.equals(key)) throw new RangeError(`tensor "${name}" is given twice`)
  })
  // Values of several bytes start at a multiple of their size.
  return keyed.map(({ tensor }) => tensor).sort(([, a], [, b]) => DTYPE_BYTES[typeOf(b)] - DTYPE_BYTES[typeOf(a)])
}

function headerBytes(ordered: readonly Named[], metadata?: Readonly<Record<string, string>>): Uint8Array {
  const fields = metadata === undefined ? [] : [`"__metadata__":${JSON.stringify(metadata)}`]
  let at = 0
  for (const [name, source] of ordered) {
    const { shape } = source
    const type = typeOf(source)
    const count = elementCount(shape)
    if (count === undefined) throw new RangeError(`tensor "${name}" has the shape [${shape}]`)
    fields.push(
      `${JSON.stringify(name)}:{"dtype":"${type}","shape":${JSON.stringify(shape)},"data_offsets":[${at},${at + count * DTYPE_BYTES[type]}]}`,
    )
    at += count * DTYPE_BYTES[type]
  }
  const json = Buffer.from(`{${fields.join(',')}}`)
  const padded = Math.ceil(json.length / 8) * 8
  const out = new Uint8Array(8 + padded).fill(0x20)
  new DataView(out.buffer).setBigUint64(0, BigInt(padded), true)
  out.set(json, 8)
  return out
}
