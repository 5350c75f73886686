import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import type { MethodOptions } from '../methods/index.ts'
import type { Card } from './adapter.ts'
import { hubName, writeCard } from './card.ts'
import { describeAdapter } from './index.ts'

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
  refuses(holding({ 'adapter_model.bin': '' }), /holds no adapter that is known/)
  refuses(holding({ 'adapter_config.json': '{' }), /adapter_config\.json is not JSON/)
  refuses(holding({ 'adapter_config.json': '[]' }), /does not hold a JSON object/)
})

const card: Card = { task: null, labels: null, outputs: null, baseModel: null, adapterName: null, totalSteps: null }

function noted(options: unknown, given: object = {}): string {
  const folder = holding({ 'adapter.safetensors': '' })
  writeCard(folder, options as MethodOptions, { ...card, ...given }, null)
  return folder
}

test("a damaged note of adatune's is named", () => {
  const bitfit = { name: 'bitfit', layers: null }
  assert.equal(describeAdapter(noted(bitfit)).task, null)
  refuses(noted(bitfit, { task: 'poetry' }), /adatune\.json is damaged: "task"/)
  refuses(noted({ name: 'bitfit', layers: 'some' }), /adatune\.json is damaged: "method\.layers"/)
  refuses(noted({ name: 'adamix' }), /names a mixture/)
  const folder = noted(bitfit)
  const [file, text] = [join(folder, 'adatune.json'), readFileSync(join(folder, 'adatune.json'), 'utf8')]
  for (let at = 0; at < text.length; at++) {
    writeFileSync(file, text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1))
    refuses(folder, /adatune\.json/)
  }
})

test('a card names no path of a machine', () => {
  assert.deepEqual(['bert-base-uncased', 'org/model.v1_2'].map(hubName), ['bert-base-uncased', 'org/model.v1_2'])
  for (const path of ['/data/bert', './bert', '../bert', 'C:\\bert', 'a/b/c', '', null, 3]) assert.equal(hubName(path), null, String(path))
})
