import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { UserError } from '../errors.ts'
import { readBytes, readHeader, readTensor } from './safetensors.ts'
import { isFloating } from './tensor-entry.ts'
import { encodeSafetensors } from './write-safetensors.ts'

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'f.safetensors')

const whole = Buffer.concat([
  ...encodeSafetensors(
    [
      ['encoder.weight', { shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      ['encoder.bias', { shape: [2], data: Float32Array.of(-1, -2) }],
      ['scale', { shape: [], data: Float32Array.of(0.5) }],
    ],
    { format: 'pt' },
  ),
])
const headerEnd = 8 + Number(whole.readBigUInt64LE(0))

/** True for a consistent acceptance, false for a refusal; anything else throws. */
function accepts(bytes: Uint8Array): boolean {
  writeFileSync(file, bytes)
  let entries: ReturnType<typeof readHeader>['tensors']
  try {
    entries = readHeader(file).tensors
  } catch (error) {
    if (error instanceof UserError && error.message.includes(file)) return false
    throw error
  }
  let total = 0
  for (const entry of entries.values()) {
    total += entry.bytes
    assert.ok(entry.offset >= 8 && entry.offset + entry.bytes <= bytes.length, 'within the file')
    const raw = readBytes(entry)
    assert.deepEqual(Buffer.from(raw), Buffer.from(bytes.subarray(entry.offset, entry.offset + entry.bytes)))
    if (isFloating(entry.dtype))
      assert.equal(
        readTensor(entry).length,
        entry.shape.reduce((a, b) => a * b, 1),
      )
  }
  const start = 8 + Number(Buffer.from(bytes).readBigUInt64LE(0))
  assert.equal(start + total, bytes.length, 'tensors cover the data')
  return true
}

test('every truncation is refused as cut short', () => {
  assert.ok(accepts(whole))
  for (let length = 0; length < whole.length; length++) assert.ok(!accepts(whole.subarray(0, length)), `${length} bytes`)
})

const at = fc.integer({ min: 0, max: whole.length - 1 })
const inHeader = fc.integer({ min: 8, max: headerEnd - 1 })
const jsonByte = fc.constantFrom(...Buffer.from('{}[]",:\\-.0123456789eFIB6n '))
const edit = fc.oneof(
  fc.record({ at, remove: fc.constant(1), insert: fc.uint8Array({ minLength: 1, maxLength: 1 }) }),
  fc.record({ at: inHeader, remove: fc.constant(1), insert: jsonByte.map((byte) => Uint8Array.of(byte)) }),
  fc.record({ at, remove: fc.integer({ min: 0, max: 40 }), insert: fc.uint8Array({ maxLength: 16 }) }),
  fc.record({ at: fc.constant(0), remove: fc.constant(8), insert: fc.uint8Array({ minLength: 8, maxLength: 8 }) }),
)

test('mutated files are accepted whole or refused with a UserError', () => {
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let bytes: Buffer = whole
      for (const { at: place, remove, insert } of edits) {
        bytes = Buffer.concat([bytes.subarray(0, place), insert, bytes.subarray(place + remove)])
      }
      accepts(bytes)
    }),
    { numRuns: 3000, interruptAfterTimeLimit: 8000, markInterruptAsFailure: false },
  )
})

const field = fc.oneof(
  fc.integer({ min: -2, max: 24 }),
  fc.constantFrom(2 ** 53, 2 ** 31, 4294967296, 1e300, 0.5, null, 'F16', 'I8', 'F64', '__proto__'),
)
const description = fc.record(
  {
    dtype: fc.oneof(fc.constantFrom('F32', 'F16', 'I64', 'U8', 'BOOL'), field),
    shape: fc.oneof(fc.array(field, { maxLength: 3 }), field),
    data_offsets: fc.oneof(fc.tuple(field, field), fc.array(field, { maxLength: 3 })),
  },
  { requiredKeys: ['dtype'] },
)
const sound = fc.integer({ min: 0, max: 6 }).map((count) => ({ dtype: 'F32', shape: [count], data_offsets: [0, count * 4] }))
const header = fc.dictionary(fc.constantFrom('a', 'b', '__metadata__', 'constructor'), fc.oneof(description, sound, fc.jsonValue()), {
  maxKeys: 3,
})

test('well-formed JSON with any content is accepted whole or refused with a UserError', () => {
  let accepted = 0
  fc.assert(
    fc.property(header, fc.integer({ min: 0, max: 24 }), (json, dataBytes) => {
      const text = Buffer.from(JSON.stringify(json))
      const length = Buffer.alloc(8)
      length.writeBigUInt64LE(BigInt(text.length))
      const claimed = (json.a as { data_offsets?: unknown[] } | null | undefined)?.data_offsets?.[1]
      const size = typeof claimed === 'number' && claimed >= 0 && claimed <= 24 ? Math.floor(claimed) : dataBytes
      if (accepts(Buffer.concat([length, text, Buffer.alloc(size)]))) accepted++
    }),
    { numRuns: 2000, interruptAfterTimeLimit: 8000, markInterruptAsFailure: false },
  )
  assert.ok(accepted > 0, 'some of them are sound')
})
