import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { UserError } from '../errors.ts'
import { duplicateKey } from './duplicate-key.ts'
import { readBytes, readHeader, readTensor } from './safetensors.ts'

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'a.safetensors')

/** Writes a file from the text of its header, or the object it stands for, and its data. */
function put(header: unknown, data: Uint8Array = new Uint8Array(0)): void {
  const json = header instanceof Uint8Array ? header : Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  writeFileSync(file, Buffer.concat([length, json, data]))
}

function refused(pattern: RegExp): void {
  assert.throws(
    () => readHeader(file),
    (error: Error) => {
      assert.ok(error instanceof UserError, String(error.stack))
      assert.ok(error.message.includes(file), 'names the file')
      assert.match(error.message, pattern)
      return true
    },
  )
}

const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({ dtype: 'F32', shape, data_offsets: [begin, end] })

test('reads entries with absolute offsets in the order of the data, and metadata', () => {
  put(
    `{"b":${JSON.stringify(f32(0, 8, [1, 2]))},"__metadata__":{"format":"pt"},"a":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}   `,
    new Uint8Array(16),
  )
  const { tensors, metadata } = readHeader(file)
  const start = readHeader(file).tensors.get('b')!.offset
  assert.deepEqual([...tensors.keys()], ['b', 'a'])
  assert.deepEqual(tensors.get('b'), { dtype: 'F32', shape: [1, 2], file, offset: start, bytes: 8 })
  assert.deepEqual(tensors.get('a'), { dtype: 'I64', shape: [], file, offset: start + 8, bytes: 8 })
  assert.deepEqual([...metadata], [['format', 'pt']])
})

test('reads F32, F16, BF16 and F64 as f32, and the bytes of others', () => {
  const parts = [
    Buffer.from(Float64Array.of(0.1, -2).buffer),
    Buffer.from(Float32Array.of(1.5, -0.25).buffer),
    Buffer.from(Uint16Array.of(0x3c00, 0x0001).buffer),
    Buffer.from(Uint16Array.of(0x3f80, 0xc000).buffer),
    Buffer.from([1, 0]),
  ]
  const types = ['F64', 'F32', 'F16', 'BF16', 'BOOL']
  const header: Record<string, unknown> = {}
  let at = 0
  parts.forEach((part, i) => {
    header[types[i]!] = { dtype: types[i], shape: [2], data_offsets: [at, at + part.length] }
    at += part.length
  })
  put(header, Buffer.concat(parts))
  const { tensors } = readHeader(file)
  const values = (name: string) => [...readTensor(tensors.get(name)!)]
  assert.deepEqual(values('F64'), [Math.fround(0.1), -2])
  assert.deepEqual(values('F32'), [1.5, -0.25])
  assert.deepEqual(values('F16'), [1, 2 ** -24])
  assert.deepEqual(values('BF16'), [1, -2])
  assert.deepEqual([...readBytes(tensors.get('BOOL')!)], [1, 0])
  assert.throws(() => readTensor(tensors.get('BOOL')!), /BOOL/)
  assert.equal(readTensor(tensors.get('F32')!).buffer.byteLength, 8, 'owns its buffer')
})

test('a header and no tensors, zero-size tensors and names of Object.prototype are fine', () => {
  put({})
  assert.equal(readHeader(file).tensors.size, 0)
  put(
    `{"__proto__":${JSON.stringify(f32(0, 4))},"e":${JSON.stringify(f32(0, 0, [0, 3]))},"constructor":${JSON.stringify(f32(4, 8))}}`,
    new Uint8Array(8),
  )
  const { tensors } = readHeader(file)
  assert.deepEqual([...tensors.keys()], ['e', '__proto__', 'constructor'])
  assert.equal(({} as Record<string, unknown>).dtype, undefined)
})

test('files cut short say so', () => {
  put({ a: f32(0, 400) }, new Uint8Array(400))
  truncateSync(file, 300)
  refused(/cut short: it has 300 of \d+ bytes/)
  truncateSync(file, 20)
  refused(/cut short: its header ends at byte \d+ of 20/)
  truncateSync(file, 5)
  refused(/cut short: it has 5 bytes/)
})

test('a file that shrinks after its header was read is refused on reading', () => {
  put({ a: f32(0, 400) }, new Uint8Array(400))
  const entry = readHeader(file).tensors.get('a')!
  truncateSync(file, 300)
  assert.throws(() => readTensor(entry), /cut short: it ends at byte 300/)
})

test('missing files, folders and Git LFS pointers are told apart', () => {
  assert.throws(() => readHeader(join(folder, 'none')), /none: there is no such file/)
  assert.throws(() => readHeader(folder), /is a folder/)
  writeFileSync(file, 'version https://git-lfs\noid sha256:00\nsize 1\n')
  refused(/git lfs pull/)
})

test('a header length beyond the limit is refused without reading it', () => {
  writeFileSync(file, Buffer.alloc(64, 0xff))
  refused(/header of 18446744073709551615 bytes/)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(100_000_001n)
  writeFileSync(file, length)
  refused(/header of 100000001 bytes/)
})

const broken: [string, unknown, number, RegExp][] = [
  ['a leading space', ' {}', 0, /does not start with "\{"/],
  ['no header', '', 0, /does not start with "\{"/],
  ['an array', '[]', 0, /does not start with "\{"/],
  ['a byte order mark', '\ufeff{}', 0, /does not start with "\{"/],
  ['bad UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 0, /not valid UTF-8/],
  ['a lone surrogate', `{"\\ud800":${JSON.stringify(f32(0, 4))}}`, 4, /not valid Unicode/],
  ['bad JSON', '{"a":}', 0, /not valid JSON/],
  ['deep nesting', `{"a":${'['.repeat(100_000)}`, 0, /not valid JSON/],
  ['a name twice', `{"a":${JSON.stringify(f32(0, 4))},"a":${JSON.stringify(f32(0, 4))}}`, 4, /key "a" twice/],
  ['a name twice, once escaped', `{"a":${JSON.stringify(f32(0, 4))}, "\\u0061" :${JSON.stringify(f32(0, 4))}}`, 4, /key "a" twice/],
  ['a field twice', '{"a":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}', 4, /key "dtype" twice/],
  ['metadata that is no object', { __metadata__: ['pt'] }, 0, /"__metadata__" is not an object/],
  ['metadata that is no text', { __metadata__: { format: 1 } }, 0, /metadata "format" is not text/],
  ['an entry that is null', { a: null }, 0, /not described by an object/],
  ['an unknown element type', { a: { ...f32(0, 4), dtype: 'F8_E4M3' } }, 4, /"F8_E4M3"; save it as one of F64/],
  ['an inherited element type', { a: { ...f32(0, 4), dtype: 'toString' } }, 4, /"toString"/],
  ['a missing shape', { a: { dtype: 'F32', data_offsets: [0, 4] } }, 4, /no valid shape/],
  ['a negative extent', { a: f32(0, 4, [-1, -1]) }, 4, /no valid shape/],
  ['a fraction', { a: f32(0, 4, [0.5, 2]) }, 4, /no valid shape/],
  ['minus zero', '{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}', 0, /no valid shape/],
  ['a shape that overflows', { a: f32(0, 0, [2 ** 40, 2 ** 40, 0]) }, 0, /no valid shape/],
  ['a size that overflows', { a: f32(0, 4, [2 ** 52]) }, 4, /needs \d+ bytes but is given 4/],
  ['three offsets', { a: { ...f32(0, 4), data_offsets: [0, 4, 4] } }, 4, /no valid data_offsets/],
  [
    'an offset beyond 2^53',
    '{"a":{"dtype":"F32","shape":[1],"data_offsets":[9007199254740992,9007199254740996]}}',
    4,
    /no valid data_offsets/,
  ],
  ['end before begin', { a: f32(4, 0, [1]) }, 4, /ends before it begins/],
  ['too few bytes', { a: f32(0, 4, [2]) }, 4, /needs 8 bytes but is given 4/],
  ['an overlap', { a: f32(0, 8), b: f32(4, 12) }, 12, /"b" overlaps another/],
  ['the same range twice', { a: f32(0, 8), b: f32(0, 8) }, 8, /overlaps another/],
  ['a hole', { a: f32(0, 4), b: f32(8, 12) }, 12, /hole of 4 bytes before the tensor "b"/],
  ['a hole at the start', { a: f32(4, 8) }, 8, /hole of 4 bytes/],
  ['bytes to spare', { a: f32(0, 4) }, 9, /5 bytes at its end/],
]

for (const [name, header, bytes, pattern] of broken) {
  test(`refuses ${name}`, () => {
    put(header, new Uint8Array(bytes))
    refused(pattern)
  })
}

test('duplicateKey agrees with counting the keys that were written', () => {
  const key = fc.oneof(fc.constantFrom('a', 'b', '"', '\\', '{', ':', '__proto__'), fc.string())
  const flat = fc.array(fc.tuple(key, fc.jsonValue()), { maxLength: 6 })
  fc.assert(
    fc.property(flat, (pairs) => {
      const json = `{ ${pairs.map(([name, value]) => `${JSON.stringify(name)} : ${JSON.stringify(value)}`).join(' ,\n')} }`
      const names = pairs.map(([name]) => name)
      const expected = names.find((name, i) => names.indexOf(name) < i)
      assert.equal(duplicateKey(json), expected)
      assert.equal(duplicateKey(`{"outer":[${json},{"x":"y:"}]}`), expected)
    }),
    { numRuns: 500 },
  )
})
