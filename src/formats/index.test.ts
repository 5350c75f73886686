import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { describeAdapter, hubName } from './index.ts'

function holding(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}
const refuses = (folder: string, pattern: RegExp): void =>
  assert.throws(
    () => describeAdapter(folder),
    (error) => error instanceof UserError && pattern.test(error.message),
  )

test('a folder that holds no adapter says what to give', () => {
  refuses(join(temporaryFolder(), 'none'), /There is no folder .*none/)
  refuses(holding({}), /holds no adapter that is known; give the folder/)
  refuses(holding({ 'mine/adapter_config.json': '{}' }), /its folder "mine" holds one/)
  refuses(holding({ 'adapter_model.bin': '' }), /is a pickle/)
  refuses(holding({ 'adapter_config.json': '{' }), /adapter_config\.json is not JSON/)
  refuses(holding({ 'adapter_config.json': '[]' }), /does not hold a JSON object/)
})

test("a damaged note of adatune's is named", () => {
  const card = {
    format: 1,
    method: { name: 'bitfit', layers: null },
    task: null,
    labels: null,
    outputs: null,
    baseModel: null,
    adapterName: null,
    totalSteps: null,
  }
  const note = (changes: object): string => holding({ 'adatune.json': JSON.stringify({ ...card, ...changes }), 'adapter.safetensors': '' })
  assert.equal(describeAdapter(note({})).task, null)
  refuses(note({ format: 2 }), /format 2, known is 1; update adatune/)
  refuses(note({ task: 'poetry' }), /adatune\.json is damaged: "task"/)
  refuses(note({ method: { name: 'bitfit', layers: 'some' } }), /adatune\.json is damaged: "method\.layers"/)
  refuses(note({ method: { name: 'adamix' } }), /names a mixture/)
})

test('a card names no path of a machine', () => {
  assert.deepEqual(['bert-base-uncased', 'org/model.v1_2'].map(hubName), ['bert-base-uncased', 'org/model.v1_2'])
  for (const path of ['/data/bert', './bert', '../bert', 'C:\\bert', 'a/b/c', '', null, 3]) assert.equal(hubName(path), null, String(path))
})
