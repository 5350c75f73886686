import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { UserError } from '../errors.ts'
import { hasWeights, openCheckpoint } from './checkpoint.ts'
import { readTensor } from './safetensors.ts'
import { writeSafetensors } from './write-safetensors.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'checkpoint-')))
after(() => rmSync(root, { recursive: true }))
let made = 0

function newFolder(): string {
  const folder = join(root, String(made++))
  mkdirSync(folder)
  return folder
}

const one = (value: number) => ({ shape: [1], data: Float32Array.of(value) })

function shards(weightMap: unknown): string {
  const folder = newFolder()
  writeSafetensors(join(folder, 'm-1.safetensors'), [
    ['a', one(1)],
    ['extra', one(9)],
  ])
  writeSafetensors(join(folder, 'm-2.safetensors'), [
    ['b', one(2)],
    ['a', one(8)],
  ])
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: weightMap }))
  return folder
}

function refused(folder: string, pattern: RegExp): void {
  assert.throws(
    () => openCheckpoint(folder),
    (error) => {
      assert.ok(error instanceof UserError, String(error))
      assert.match(error.message, pattern)
      return true
    },
  )
}

test('a single file', () => {
  const folder = newFolder()
  assert.equal(hasWeights(folder), false)
  writeSafetensors(join(folder, 'model.safetensors'), [['a', one(1)]])
  assert.equal(hasWeights(folder), true)
  const { folder: home, tensors } = openCheckpoint(folder)
  assert.equal(home, folder)
  assert.equal(tensors.get('a')?.file, join(folder, 'model.safetensors'))
})

test('shards: each tensor from the file that the index names', () => {
  const folder = shards({ a: 'm-1.safetensors', b: 'm-2.safetensors' })
  assert.equal(hasWeights(folder), true)
  const { tensors } = openCheckpoint(folder)
  assert.deepEqual(
    [...tensors].map(([name, entry]) => [name, readTensor(entry)[0]]),
    [
      ['a', 1],
      ['b', 2],
    ],
  )
})

test('the single file wins over an index, as in transformers', () => {
  const folder = shards({ a: 'm-1.safetensors' })
  writeSafetensors(join(folder, 'model.safetensors'), [['c', one(3)]])
  assert.deepEqual([...openCheckpoint(folder).tensors.keys()], ['c'])
})

test('behind links the real folder and files are given: ONNX Runtime refuses links out of its folder', () => {
  const blobs = newFolder()
  const snapshot = newFolder()
  writeSafetensors(join(blobs, '0123'), [['a', one(1)]])
  symlinkSync(join('..', blobs.slice(root.length + 1), '0123'), join(snapshot, 'model.safetensors'))
  const { folder, tensors } = openCheckpoint(snapshot)
  assert.equal(folder, blobs)
  assert.equal(tensors.get('a')?.file, join(blobs, '0123'))
})

test('shards that are links into several folders are refused', () => {
  const folder = shards({ a: 'm-1.safetensors', b: 'm-2.safetensors' })
  const elsewhere = newFolder()
  writeSafetensors(join(elsewhere, 'x'), [['b', one(2)]])
  rmSync(join(folder, 'm-2.safetensors'))
  symlinkSync(join(elsewhere, 'x'), join(folder, 'm-2.safetensors'))
  refused(folder, /links into 2 folders/)
})

test('a missing shard and a missing tensor are named', () => {
  refused(shards({ a: 'm-1.safetensors', z: 'm-3.safetensors' }), /m-3\.safetensors is missing/)
  refused(shards({ a: 'm-1.safetensors', b: 'm-1.safetensors' }), /m-1\.safetensors lacks the tensor "b"/)
})

for (const name of [
  '../m-1.safetensors',
  'sub/m.safetensors',
  '/m.safetensors',
  'c:m.safetensors',
  'a\\m.safetensors',
  'm\0.safetensors',
  '..',
  '',
  'm-1.bin',
  7,
  null,
]) {
  test(`an index that names ${JSON.stringify(name)} is refused`, () => refused(shards({ a: name }), /no plain \.safetensors file name/))
}

test('an index without a map or that is no JSON is refused', () => {
  for (const map of [undefined, null, [], {}, 'x']) refused(shards(map), /no "weight_map"/)
  const folder = shards({})
  for (const text of ['{', 'null', '\xff']) {
    writeFileSync(join(folder, 'model.safetensors.index.json'), text, 'latin1')
    refused(folder, /index\.json (is not valid JSON|has no "weight_map")/)
  }
})

test('pickle files are never read', () => {
  for (const name of ['pytorch_model.bin', 'pytorch_model-00001-of-00002.bin', 'model.pt']) {
    const folder = newFolder()
    writeFileSync(join(folder, name), '')
    refused(folder, new RegExp(`${name}.*pickle.*safe_serialization=True`))
  }
})

test('no weights, no folder, and a file in place of a folder', () => {
  const folder = newFolder()
  refused(folder, new RegExp(`${folder} holds no weights`))
  refused(join(folder, 'none'), /There is no folder/)
  writeFileSync(join(folder, 'file'), '')
  refused(join(folder, 'file'), /is a file/)
})
