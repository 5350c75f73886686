import { writeAtomically } from './atomic-file.ts'
import { float32ToHalf } from './half.ts'
import { elementCount } from './tensor-entry.ts'

/** One tensor to write, row-major f32; a function is called when its turn comes, so that one tensor is in memory at a time. */
export interface TensorSource {
  readonly shape: readonly number[]
  readonly data: Float32Array | (() => Float32Array)
}

type Named = readonly [string, TensorSource]

/** How values are stored. */
export type StoredType = 'F32' | 'F16'
const bytesOf: Readonly<Record<StoredType, number>> = { F32: 4, F16: 2 }

/**
 * The bytes of a safetensors file in pieces, in order: length and header first, then one piece per tensor. Byte for byte
 * what the Rust library writes: header padded with spaces to 8 bytes, tensors by name in byte order (all are of one type).
 * @throws RangeError for a name given twice or reserved, or data that does not fit its shape
 */
export function* encodeSafetensors(
  tensors: Iterable<Named>,
  metadata?: Readonly<Record<string, string>>,
  type: StoredType = 'F32',
): Generator<Uint8Array> {
  const ordered = inByteOrder(tensors)
  yield headerBytes(ordered, type, metadata)
  for (const [name, { shape, data }] of ordered) {
    const values = typeof data === 'function' ? data() : data
    if (values.length !== elementCount(shape)) throw new RangeError(`tensor "${name}" of shape [${shape}] has ${values.length} values`)
    const stored = type === 'F16' ? float32ToHalf(values) : values
    yield new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)
  }
}

/**
 * Writes a safetensors file, whole or not at all (see `writeAtomically`); its folder must exist.
 * @param metadata text pairs for `__metadata__`, which PEFT gives as `{ format: 'pt' }`; left out of the file where undefined
 * @throws UserError where the file system refuses; RangeError as `encodeSafetensors`
 */
export function writeSafetensors(
  file: string,
  tensors: Iterable<Named>,
  metadata?: Readonly<Record<string, string>>,
  type: StoredType = 'F32',
): void {
  writeAtomically(file, (append) => {
    for (const piece of encodeSafetensors(tensors, metadata, type)) append(piece)
  })
}

function inByteOrder(tensors: Iterable<Named>): Named[] {
  const keyed = Array.from(tensors, (tensor) => ({ tensor, key: Buffer.from(tensor[0]) }))
  keyed.sort((a, b) => a.key.compare(b.key))
  keyed.forEach(({ tensor: [name], key }, i) => {
    if (name === '__metadata__' || /\p{Surrogate}/u.test(name)) throw new RangeError(`${JSON.stringify(name)} cannot name a tensor`)
    if (keyed[i - 1]?.key.equals(key)) throw new RangeError(`tensor "${name}" is given twice`)
  })
  return keyed.map(({ tensor }) => tensor)
}

function headerBytes(ordered: readonly Named[], type: StoredType, metadata?: Readonly<Record<string, string>>): Uint8Array {
  const fields = metadata === undefined ? [] : [`"__metadata__":${JSON.stringify(metadata)}`]
  let at = 0
  for (const [name, { shape }] of ordered) {
    const count = elementCount(shape)
    if (count === undefined) throw new RangeError(`tensor "${name}" has the shape [${shape}]`)
    fields.push(
      `${JSON.stringify(name)}:{"dtype":"${type}","shape":${JSON.stringify(shape)},"data_offsets":[${at},${at + count * bytesOf[type]}]}`,
    )
    at += count * bytesOf[type]
  }
  const json = Buffer.from(`{${fields.join(',')}}`)
  const padded = Math.ceil(json.length / 8) * 8
  const out = new Uint8Array(8 + padded).fill(0x20)
  new DataView(out.buffer).setBigUint64(0, BigInt(padded), true)
  out.set(json, 8)
  return out
}
