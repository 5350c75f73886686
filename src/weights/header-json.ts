import { UserError } from '../errors.ts'
import { isObject } from '../is-object.ts'
import { duplicateKey } from './duplicate-key.ts'
import type { TensorEntry } from './tensor-entry.ts'
import { DTYPE_BYTES, elementCount, isDtype } from './tensor-entry.ts'

/** The most tensors one file may hold. */
const MOST_TENSORS = 1_000_000

type JsonObject = Record<string, unknown>

/** What the header of a safetensors file says, checked. */
export interface Header {
  /** By name, in the order of their data. */
  readonly tensors: Map<string, TensorEntry>
  /** The text pairs under `__metadata__`; empty where there are none. */
  readonly metadata: Map<string, string>
}

/**
 * Checks the JSON part of a header.
 * @param bytes the JSON, UTF-8
 * @param file name for messages and entries
 * @param dataStart absolute offset of the data section, bytes
 * @param dataBytes length of the data section: the tensors must cover it without hole or overlap
 * @throws UserError where any rule of the safetensors format is broken
 */
export function parseHeader(bytes: Uint8Array, file: string, dataStart: number, dataBytes: number): Header {
  const root = parseObject(bytes, file)
  const metadata = new Map<string, string>()
  const found: [string, TensorEntry][] = []
  for (const [name, value] of Object.entries(root)) {
    if (/\p{Surrogate}/u.test(name)) throw damaged(file, `the name ${JSON.stringify(name)} is not valid Unicode`)
    if (name === '__metadata__') readMetadata(value, file, metadata)
    else found.push([name, readEntry(name, value, file, dataStart)])
  }
  if (found.length > MOST_TENSORS) throw damaged(file, `it lists ${found.length} tensors, more than the ${MOST_TENSORS} allowed`)
  found.sort(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes)
  checkCover(found, file, dataStart, dataBytes)
  return { tensors: new Map(found), metadata }
}

function damaged(file: string, what: string): UserError {
  return new UserError(`${file} is no valid safetensors file: ${what}; copy, download or save it again.`)
}

function parseObject(bytes: Uint8Array, file: string): JsonObject {
  if (bytes[0] !== 0x7b) throw damaged(file, 'its header does not start with "{"')
  let text: string
  let root: JsonObject
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw damaged(file, 'its header is not valid UTF-8')
  }
  try {
    root = JSON.parse(text) as JsonObject
  } catch {
    throw damaged(file, 'its header is not valid JSON')
  }
  const twice = duplicateKey(text)
  if (twice !== undefined) throw damaged(file, `its header has the key ${JSON.stringify(twice)} twice`)
  return root
}

function readMetadata(value: unknown, file: string, into: Map<string, string>): void {
  if (!isObject(value)) throw damaged(file, '"__metadata__" is not an object')
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw damaged(file, `the metadata ${JSON.stringify(key)} is not text`)
    into.set(key, text)
  }
}

function readEntry(name: string, value: unknown, file: string, dataStart: number): TensorEntry {
  const tensor = `the tensor ${JSON.stringify(name)}`
  if (!isObject(value)) throw damaged(file, `${tensor} is not described by an object`)
  const { dtype, shape, data_offsets: offsets } = value
  if (!isDtype(dtype)) {
    const known = Object.keys(DTYPE_BYTES).join(', ')
    throw new UserError(`${file}: ${tensor} has the element type ${JSON.stringify(dtype)}; save it as one of ${known}.`)
  }
  const count = Array.isArray(shape) ? elementCount(shape) : undefined
  if (count === undefined) throw damaged(file, `${tensor} has no valid shape`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every((at) => elementCount([at]) !== undefined)) {
    throw damaged(file, `${tensor} has no valid data_offsets`)
  }
  const [begin, end] = offsets as [number, number]
  const bytes = count * DTYPE_BYTES[dtype]
  if (begin > end) throw damaged(file, `${tensor} ends before it begins`)
  if (end - begin !== bytes) throw damaged(file, `${tensor} needs ${bytes} bytes but is given ${end - begin}`)
  return { dtype, shape: shape as number[], file, offset: dataStart + begin, bytes }
}

/** No hole, no overlap, nothing beyond the end: each tensor starts where the last one ended. `sorted` by offset. */
function checkCover(sorted: readonly (readonly [string, TensorEntry])[], file: string, dataStart: number, dataBytes: number): void {
  let at = dataStart
  for (const [name, { offset, bytes }] of sorted) {
    if (offset < at) throw damaged(file, `the tensor ${JSON.stringify(name)} overlaps another`)
    if (offset > at) throw damaged(file, `there is a hole of ${offset - at} bytes before the tensor ${JSON.stringify(name)}`)
    at = offset + bytes
  }
  const end = dataStart + dataBytes
  if (at > end) throw new UserError(`${file} is cut short: it has ${end} of ${at} bytes; copy or download it again.`)
  if (at < end) throw damaged(file, `${end - at} bytes at its end belong to no tensor`)
}
