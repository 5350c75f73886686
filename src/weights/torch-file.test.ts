import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { mutate } from '../../test/behaviour/mutation.ts'
import { temporaryFolder } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { withFile } from './file-access.ts'
import { readBytes, readTensor } from './safetensors.ts'
import { readTorchTensors } from './torch-file.ts'
import { readZip } from './zip-directory.ts'

const file = join(temporaryFolder(), 'f.bin')

type Parts = readonly (readonly [name: string, bytes: Uint8Array])[]

/** A zip file of stored entries; `method` stands in each header. */
function zip(parts: Parts, method = 0): Buffer {
  const [bodies, directory]: [Buffer[], Buffer[]] = [[], []]
  let at = 0
  for (const [name, bytes] of parts) {
    const raw = Buffer.from(name)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt16LE(method, 10)
    central.writeUInt32LE(crc32(bytes), 16)
    for (const field of [20, 24]) central.writeUInt32LE(bytes.length, field)
    central.writeUInt16LE(raw.length, 28)
    central.writeUInt32LE(at, 42)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(raw.length, 26)
    directory.push(central, raw)
    bodies.push(local, raw, Buffer.from(bytes))
    at += 30 + raw.length + bytes.length
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  for (const field of [8, 10]) end.writeUInt16LE(parts.length, field)
  end.writeUInt32LE(size, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...bodies, ...directory, end])
}

const text = (value: string): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(Buffer.byteLength(value))
  return Buffer.concat([Buffer.from('X'), length, Buffer.from(value)])
}
const global = (name: string): Buffer => Buffer.from(`c${name.replace(/\.([^.]*)$/, '\n$1')}\n`)
const byte = (value: number): Buffer => Buffer.of(0x4b, value)

interface Described {
  readonly type?: string
  readonly count?: number
  readonly start?: number
  readonly shape?: readonly number[]
  readonly strides?: readonly number[]
}

/** The pickle of `{name: tensor}` as torch writes it. */
function pickled({ type = 'torch.FloatStorage', count = 6, start = 0, shape = [2, 3], strides = [3, 1] }: Described = {}): Buffer {
  const pair = (numbers: readonly number[]): Buffer => Buffer.concat([Buffer.from('('), ...numbers.map(byte), Buffer.from('t')])
  const storage = Buffer.concat([Buffer.from('('), text('storage'), global(type), text('0'), text('cpu'), byte(count), Buffer.from('tQ')])
  const hooks = Buffer.concat([global('collections.OrderedDict'), Buffer.from(')R')])
  const args = [Buffer.from('('), storage, byte(start), pair(shape), pair(strides), Buffer.of(0x89), hooks, Buffer.from('t')]
  const tensor = Buffer.concat([global('torch._utils._rebuild_tensor_v2'), ...args, Buffer.from('R')])
  return Buffer.concat([Buffer.of(0x80, 2), Buffer.from('}('), text('weight'), tensor, Buffer.from('u.')])
}

const numbers = Float32Array.of(1, 2, 3, 4, 5, 6)
const data = new Uint8Array(numbers.buffer)
const archive = (pickle: Uint8Array, storage: Uint8Array = data): Parts => [
  ['a/data.pkl', pickle],
  ['a/byteorder', Buffer.from('little')],
  ['a/data/0', storage],
]

function read(bytes: Uint8Array) {
  writeFileSync(file, bytes)
  return readTorchTensors(file)
}
const refuses = (bytes: Uint8Array, says: RegExp): void =>
  assert.throws(
    () => read(bytes),
    (error) => error instanceof UserError && error.message.startsWith(file) && says.test(error.message),
  )

test('tensors are ranges of the file', () => {
  const whole = read(zip(archive(pickled()))).get('weight')!
  assert.deepEqual([whole.dtype, whole.shape, whole.bytes], ['F32', [2, 3], 24])
  assert.deepEqual(readTensor(whole), numbers)
  const part = read(zip(archive(pickled({ start: 2, shape: [1, 3], strides: [7, 1] })))).get('weight')!
  assert.deepEqual(readTensor(part), numbers.slice(2, 5))
  const halves = read(zip(archive(pickled({ type: 'torch.HalfStorage', count: 12, shape: [12], strides: [1] })))).get('weight')!
  assert.deepEqual([halves.dtype, halves.bytes], ['F16', 24])
})

test('what is no dict of tensors is refused by name, and nothing of it is called', () => {
  const calls = (name: string): Buffer =>
    Buffer.concat([Buffer.of(0x80, 2), global(name), Buffer.from('('), text('echo'), Buffer.from('tR.')])
  for (const name of [
    'os.system',
    'builtins.eval',
    'torch._utils._rebuild_parameter',
    'torch.storage._load_from_bytes',
    '__main__.toString',
  ])
    refuses(zip(archive(calls(name))), new RegExp(`names "${name.replaceAll('.', '\\.')}", which is not needed`))
  refuses(zip(archive(calls('torch.FloatStorage'))), /calls "torch\.FloatStorage" in no known way/)
  refuses(zip(archive(Buffer.from('\x80\x02Vecho\n.', 'latin1'))), /opcode 0x56 at byte 2, which no file of tensors needs/)
  refuses(zip(archive(Buffer.from('\x80\x04N.', 'latin1'))), /another protocol/)
  refuses(zip(archive(Buffer.from('\x80\x02N.', 'latin1'))), /no dict of tensors/)
  refuses(zip(archive(Buffer.from('\x80\x02}K\x01K\x02s.', 'latin1'))), /more than tensors by name/)
  for (const end of ['', 't.', 'u.', 'h\x07.', 'R.', 's.', 'X\xff\xff\xff\xff.'])
    refuses(zip(archive(Buffer.from(`\x80\x02${end}`, 'latin1'))), /pickle/)
})

test('tensors outside of their storage, or not row by row, are refused', () => {
  refuses(zip(archive(pickled({ start: 1 }))), /larger than its storage/)
  refuses(zip(archive(pickled({ shape: [7], strides: [1] }))), /larger than its storage/)
  refuses(zip(archive(pickled({ strides: [1, 2] }))), /does not lie row by row/)
  refuses(zip(archive(pickled({ count: 7 }))), /has 24 bytes, which is not what its pickle says/)
  refuses(zip(archive(pickled({ strides: [1] }))), /no known way/)
  refuses(zip(archive(pickled()).slice(0, 2)), /storage "0" is missing/)
  refuses(zip([...archive(pickled()).slice(0, 1), ['a/byteorder', Buffer.from('big')], ['a/data/0', data]]), /big-endian/)
})

test('zip files that are damaged, packed or of another kind are refused', () => {
  const whole = zip(archive(pickled()))
  for (let length = 0; length < whole.length; length++) refuses(whole.subarray(0, length), /zip file|pickle/)
  refuses(zip(archive(pickled()), 8), /"a\/data\.pkl" is compressed or encrypted/)
  refuses(zip([...archive(pickled()), ['a/data/0', data]]), /is there twice/)
  refuses(zip([['a/other', data]]), /holds no data\.pkl/)
  const flipped = Buffer.from(whole)
  flipped[flipped.indexOf(Buffer.from(data))]! ^= 1
  refuses(flipped, /the checksum of "a\/data\/0" is another/)
  refuses(Buffer.from('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.', 'latin1'), /no zip file as torch saves since 1\.6/)
})

/** Where a mutation is accepted, every tensor lies within the file and has its bytes. */
function acceptsSoundly(bytes: Buffer, what: string): boolean {
  let tensors: ReturnType<typeof readTorchTensors>
  try {
    tensors = read(bytes)
  } catch (error) {
    if (error instanceof UserError && error.message.startsWith(file)) return false
    throw new Error(`${what}: ${(error as Error).stack}`)
  }
  for (const entry of tensors.values()) {
    assert.ok(entry.offset >= 0 && entry.offset + entry.bytes <= statSync(file).size, what)
    assert.ok(Buffer.from(readBytes(entry)).equals(bytes.subarray(entry.offset, entry.offset + entry.bytes)), what)
  }
  return true
}

test('mutated files, and pickles with their checksums mended, are refused with a sentence or read soundly', () => {
  const source = new URL('../../test/interop/bert/prefix/pytorch_adapter.bin', import.meta.url)
  const original = readFileSync(source)
  writeFileSync(file, original)
  const entries = withFile(file, (fd, size) => readZip(fd, file, size))
  const parts = [...entries].map(([name, { offset, bytes }]) => [name, original.subarray(offset, offset + bytes)] as const)
  assert.ok(acceptsSoundly(zip(parts), 'as it is'))
  let accepted = 0
  for (let n = 0; n < 4000; n++) {
    const draws = stream(keyOf('torch', n))
    const pickle = n % 2 === 0
    const inside = parts.map(([name, bytes]) => [name, name.endsWith('data.pkl') ? mutate(bytes as Buffer, draws).bytes : bytes] as const)
    if (acceptsSoundly(pickle ? zip(inside) : mutate(original, draws).bytes, `mutation ${n}`)) accepted++
  }
  assert.ok(accepted > 0)
})
