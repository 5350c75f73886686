import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { UserError } from '../errors.ts'
import { float32ToHalf, halfToFloat32 } from './half.ts'
import { readHeader, readTensor } from './safetensors.ts'
import { encodeSafetensors, writeSafetensors } from './write-safetensors.ts'

const folder = mkdtempSync(join(tmpdir(), 'write-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'out.safetensors')

test('bytes are those of the Rust library: padded header, key order, names in byte order', () => {
  writeSafetensors(
    file,
    [
      ['b', { shape: [2], data: Float32Array.of(1, -1) }],
      ['\u{1f600}', { shape: [], data: Float32Array.of(3) }],
      ['\uff5e', { shape: [0, 2], data: new Float32Array(0) }],
      ['B"\n', { shape: [1, 1], data: Float32Array.of(2) }],
    ],
    { format: 'pt' },
  )
  const json =
    '{"__metadata__":{"format":"pt"},"B\\"\\n":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},' +
    '"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"\uff5e":{"dtype":"F32","shape":[0,2],"data_offsets":[12,12]},' +
    '"\u{1f600}":{"dtype":"F32","shape":[],"data_offsets":[12,16]}}'
  const header = Buffer.from(json)
  const padded = Math.ceil(header.length / 8) * 8
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded))
  const data = Buffer.from('0000004000' + '00803f000080bf' + '00004040', 'hex')
  assert.deepEqual(readFileSync(file), Buffer.concat([length, header, Buffer.alloc(padded - header.length, ' '), data]))
})

test('without metadata there is no __metadata__, with an empty one it is empty', () => {
  const text = (metadata?: Record<string, string>) => Buffer.concat([...encodeSafetensors([], metadata)]).toString('latin1')
  assert.equal(text(), '\x08\0\0\0\0\0\0\0{}      ')
  assert.equal(text({}).slice(8), '{"__metadata__":{}}     ')
})

test('what is written is read back, whatever the names, shapes and order', () => {
  const name = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__metadata__')
  const tensor = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }).chain((shape) => {
    const count = shape.reduce((a, b) => a * b, 1)
    return fc.record({ shape: fc.constant(shape), data: fc.float32Array({ minLength: count, maxLength: count }) })
  })
  const pairs = fc.uniqueArray(fc.tuple(name, tensor), { selector: ([text]) => text, maxLength: 6 })
  const metadata = fc.option(fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }), { nil: undefined })
  fc.assert(
    fc.property(pairs, metadata, (given, notes) => {
      writeSafetensors(file, given, notes)
      const header = readHeader(file)
      assert.deepEqual(header.metadata, new Map(Object.entries(notes ?? {})))
      assert.equal(header.tensors.size, given.length)
      for (const [key, { shape, data }] of given) {
        const entry = header.tensors.get(key)!
        assert.deepEqual(entry.shape, shape)
        assert.deepEqual(new Uint8Array(readTensor(entry).buffer), new Uint8Array(data.slice().buffer))
      }
      const again = Buffer.concat([...encodeSafetensors([...given].reverse(), notes)])
      assert.deepEqual(readFileSync(file), again, 'the order given does not matter')
    }),
    { numRuns: 150 },
  )
})

test('a view into a larger buffer is written by its own values', () => {
  writeSafetensors(file, [['a', { shape: [2], data: Float32Array.of(9, 1, 2, 9).subarray(1, 3) }]])
  assert.deepEqual([...readTensor(readHeader(file).tensors.get('a')!)], [1, 2])
})

test('a failure on the way leaves the old file and nothing else', () => {
  writeSafetensors(file, [['a', { shape: [1], data: Float32Array.of(7) }]])
  const before = readFileSync(file)
  const failing = () => {
    throw new Error('source failed')
  }
  const good = { shape: [1], data: Float32Array.of(1) }
  assert.throws(
    () =>
      writeSafetensors(file, [
        ['a', good],
        ['b', { shape: [1], data: failing }],
      ]),
    /source failed/,
  )
  assert.throws(() => writeSafetensors(file, [['a', { shape: [2, 2], data: Float32Array.of(1) }]]), /"a" of shape \[2,2\] has 1 values/)
  assert.throws(
    () =>
      writeSafetensors(file, [
        ['a', good],
        ['a', good],
      ]),
    /"a" is given twice/,
  )
  assert.throws(() => writeSafetensors(file, [['__metadata__', good]]), RangeError)
  assert.throws(() => writeSafetensors(file, [['\ud800', good]]), RangeError)
  assert.throws(() => writeSafetensors(file, [['a', { shape: [-1], data: new Float32Array(0) }]]), RangeError)
  assert.deepEqual(readFileSync(file), before)
  assert.deepEqual(readdirSync(folder), ['out.safetensors'])
})

test("a folder that does not exist is the user's to mend", () => {
  const lost = join(folder, 'none', 'a.safetensors')
  assert.throws(
    () => writeSafetensors(lost, []),
    (error) => error instanceof UserError && error.message.includes(lost),
  )
})

test('in half precision, values are read back rounded to it', () => {
  const data = Float32Array.of(1, -2.5, 1 / 3, 65504, 1e-7, 0)
  writeSafetensors(file, [['x', { shape: [2, 3], dtype: 'F16', data: float32ToHalf(data) }]])
  const entry = readHeader(file).tensors.get('x')!
  assert.equal(entry.dtype, 'F16')
  assert.deepEqual(entry.shape, [2, 3])
  assert.deepEqual(readTensor(entry), halfToFloat32(float32ToHalf(data)))
})
