import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openCheckpoint } from './checkpoint.ts'
import { inFloat32 } from './float32-copy.ts'
import { readTensor } from './safetensors.ts'
import { writeSafetensors } from './write-safetensors.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'float32-')))
after(() => rmSync(root, { recursive: true }))
let made = 0

type Part = { dtype: string; shape: number[]; data: Buffer }

/** A checkpoint folder of one file with any element types; `pad` spaces shift the data. */
function folderWith(parts: Record<string, Part>, pad = 0): string {
  const folder = join(root, String(made++))
  mkdirSync(folder)
  const header: Record<string, unknown> = {}
  let at = 0
  for (const [name, { dtype, shape, data }] of Object.entries(parts)) {
    header[name] = { dtype, shape, data_offsets: [at, at + data.length] }
    at += data.length
  }
  const json = JSON.stringify(header)
  const text = Buffer.from(json + ' '.repeat((8 - (json.length % 8)) % 8) + ' '.repeat(pad))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([length, text, ...Object.values(parts).map(({ data }) => data)]))
  return folder
}

const f32: Part = { dtype: 'F32', shape: [2], data: Buffer.from(Float32Array.of(1.5, -7).buffer) }
const f16: Part = { dtype: 'F16', shape: [2, 1], data: Buffer.from(Uint16Array.of(0x3c00, 0xc000).buffer) }
const bf16: Part = { dtype: 'BF16', shape: [], data: Buffer.from(Uint16Array.of(0x4049).buffer) }
const i64: Part = { dtype: 'I64', shape: [1], data: Buffer.from(BigInt64Array.of(5n).buffer) }

test('F32 with integers beside it is the same checkpoint, and nothing is written', () => {
  const checkpoint = openCheckpoint(folderWith({ f32, i64 }))
  const cache = join(root, 'unused')
  assert.equal(inFloat32(checkpoint, cache), checkpoint)
  assert.ok(!readdirSync(root).includes('unused'))
})

test('F16 and BF16 are copied to F32, integers are left out, the copy is used again', () => {
  const folder = folderWith({ bf16, f32, f16, i64 })
  const cache = join(root, 'cache', 'deep')
  const copy = inFloat32(openCheckpoint(folder), cache)
  assert.match(copy.folder.slice(cache.length), /^.[0-9a-f]{64}$/)
  assert.deepEqual([...copy.tensors.keys()].sort(), ['bf16', 'f16', 'f32'])
  assert.ok([...copy.tensors.values()].every(({ dtype, offset }) => dtype === 'F32' && offset % 4 === 0))
  assert.deepEqual(copy.tensors.get('f16')?.shape, [2, 1])
  assert.deepEqual([...readTensor(copy.tensors.get('f16')!)], [1, -2])
  assert.deepEqual([...readTensor(copy.tensors.get('bf16')!)], [3.140625])
  assert.deepEqual([...readTensor(copy.tensors.get('f32')!)], [1.5, -7])
  const file = join(copy.folder, 'model.safetensors')
  const written = statSync(file).ino
  assert.deepEqual(inFloat32(openCheckpoint(folder), cache), copy)
  assert.equal(statSync(file).ino, written, 'not written again')
  assert.deepEqual(readdirSync(copy.folder), ['model.safetensors'])
})

test('other contents get another copy', () => {
  const cache = join(root, 'contents')
  const first = inFloat32(openCheckpoint(folderWith({ f16 })), cache)
  const changed = { ...f16, data: Buffer.from(Uint16Array.of(0x3c00, 0xc001).buffer) }
  const second = inFloat32(openCheckpoint(folderWith({ f16: changed })), cache)
  assert.notEqual(first.folder, second.folder)
  const same = inFloat32(openCheckpoint(folderWith({ f16 })), cache)
  assert.equal(same.folder, first.folder)
})

test('a damaged or foreign copy is written anew', () => {
  const folder = folderWith({ f16 })
  const cache = join(root, 'damaged')
  const file = join(inFloat32(openCheckpoint(folder), cache).folder, 'model.safetensors')
  const whole = readFileSync(file)
  truncateSync(file, whole.length - 1)
  inFloat32(openCheckpoint(folder), cache)
  assert.deepEqual(readFileSync(file), whole)
  writeSafetensors(file, [['f16', { shape: [2], data: Float32Array.of(0, 0) }]])
  inFloat32(openCheckpoint(folder), cache)
  assert.deepEqual(readFileSync(file), whole)
})

test('F32 at an odd offset is copied to an aligned one', () => {
  const copy = inFloat32(openCheckpoint(folderWith({ f32 }, 1)), join(root, 'aligned'))
  assert.equal(copy.tensors.get('f32')!.offset % 8, 0)
  assert.deepEqual([...readTensor(copy.tensors.get('f32')!)], [1.5, -7])
})
