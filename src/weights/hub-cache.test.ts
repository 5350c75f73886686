import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { UserError } from '../errors.ts'
import { resolveModel } from './hub.ts'
import { cachedSnapshot, hubCache } from './hub-cache.ts'
import { neededFiles } from './hub-download.ts'
import { writeSafetensors } from './write-safetensors.ts'

const root = mkdtempSync(join(tmpdir(), 'hub-cache-'))
after(() => rmSync(root, { recursive: true }))
const commit = 'c0ffee'.padEnd(40, '0')
let made = 0

/** A cache whose owner/name has an empty snapshot, with the main branch at `ref`. */
function newCache(ref = `${commit}\n`): { cache: string; snapshot: string } {
  const cache = join(root, String(made++))
  const snapshot = join(cache, 'models--owner--name', 'snapshots', commit)
  mkdirSync(snapshot, { recursive: true })
  mkdirSync(join(cache, 'models--owner--name', 'refs'))
  writeFileSync(join(cache, 'models--owner--name', 'refs', 'main'), ref)
  return { cache, snapshot }
}

async function refused(id: string, pattern: RegExp): Promise<void> {
  const env = { HF_HUB_CACHE: join(root, 'empty'), HF_HUB_OFFLINE: '1' }
  await assert.rejects(resolveModel(id, env), (error) => {
    assert.ok(error instanceof UserError, String(error))
    assert.match(error.message, pattern)
    return true
  })
}

test('the cache folder follows the variables of the Python library, in its order', () => {
  const all = { HF_HUB_CACHE: '/a', HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c', XDG_CACHE_HOME: '/d', HOME: '/e' }
  const expected = ['/a', '/b', '/c/hub', '/d/huggingface/hub', '/e/.cache/huggingface/hub']
  Object.keys(all).forEach((_, i) => {
    const env = Object.fromEntries(Object.entries(all).slice(i))
    assert.equal(hubCache(env), join(expected[i]!))
  })
  assert.equal(hubCache({ HF_HUB_CACHE: '~/x', HOME: '/e' }), '/e/x')
})

test('a snapshot is whole with its configuration and all weight files', () => {
  const { cache, snapshot } = newCache()
  const found = () => cachedSnapshot(cache, 'owner/name')
  assert.equal(found(), undefined)
  writeFileSync(join(snapshot, 'model.safetensors.index.json'), '{"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}}')
  writeSafetensors(join(snapshot, 'm-1.safetensors'), [])
  writeFileSync(join(snapshot, 'config.json'), '{}')
  assert.equal(found(), undefined, 'a shard is missing')
  symlinkSync('../../blobs/none', join(snapshot, 'm-2.safetensors'))
  assert.equal(found(), undefined, 'a link to nothing')
  rmSync(join(snapshot, 'm-2.safetensors'))
  writeSafetensors(join(snapshot, 'm-2.safetensors'), [])
  assert.equal(found(), snapshot)
  rmSync(join(snapshot, 'config.json'))
  assert.equal(found(), undefined, 'no configuration')
  assert.equal(cachedSnapshot(cache, 'name'), undefined)
})

test('a damaged index or a reference that is no commit is not whole', () => {
  const { cache, snapshot } = newCache()
  writeFileSync(join(snapshot, 'config.json'), '{}')
  writeFileSync(join(snapshot, 'model.safetensors.index.json'), '{')
  assert.equal(cachedSnapshot(cache, 'owner/name'), undefined)
  const other = newCache(`../snapshots/${commit}`)
  writeFileSync(join(other.snapshot, 'config.json'), '{}')
  writeSafetensors(join(other.snapshot, 'model.safetensors'), [])
  assert.equal(cachedSnapshot(other.cache, 'owner/name'), undefined)
})

test('without a single file all shards and their index are needed', () => {
  const told = ['generation_config.json', 'chat_template.jinja']
  const small = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'vocab.txt', ...told]
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors', 'model.safetensors.index.json']
  const others = [
    'README.md',
    'pytorch_model.bin',
    'onnx/config.json',
    '../config.json',
    'sub/model.safetensors',
    'my-config.json',
    'tf_model.h5',
  ]
  assert.deepEqual(neededFiles([...small, ...shards, ...others]), [...small, ...shards])
  assert.deepEqual(neededFiles([...shards, 'model.safetensors']), ['model.safetensors'])
})

test('paths that do not exist are not taken for ids, and near names are offered', async () => {
  for (const path of ['', './none', '../none/x', '/none', 'a/b/c', '~/none', 'a\\b', 'C:/x', 'nowhere/'])
    await refused(path, /^There is no folder/)
  mkdirSync(join(root, 'my-model'), { recursive: true })
  await refused(join(root, 'my-modle'), /Did you mean "my-model"\?/)
  writeFileSync(join(root, 'file'), '')
  await refused(join(root, 'file'), /is a file; give the folder/)
  for (const id of ['a b', 'owner/na--me', 'owner/..', '-x', 'a..b', 'a?b', 'é']) await refused(id, /neither a folder nor an id/)
})
