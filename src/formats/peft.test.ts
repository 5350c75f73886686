import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertSameBits, disturb, prepare, temporaryFolder, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import type { adalora } from '../methods/adalora.ts'
import { lora } from '../methods/lora.ts'
import { vera } from '../methods/vera.ts'
import type { Tensor } from '../nn/method.ts'
import { readHeader } from '../weights/safetensors.ts'
import type { Adapter, Card } from './adapter.ts'
import { loadAdapter, saveAdapter } from './index.ts'

const card: Card = {
  task: 'sequence-classification',
  labels: ['no', 'yes', 'ü'],
  outputs: 3,
  baseModel: 'some/model',
  adapterName: null,
  totalSteps: 20,
}
const LAYER = 'bert.encoder.layer.0'
const queries = ['bert.encoder.layer.0.attention.self.query', 'bert.encoder.layer.1.attention.self.query']
const tensor = (...shape: number[]): Tensor => ({ shape, data: new Float32Array(shape.reduce((n, dim) => n * dim, 1)).fill(0.5) })

function made(definition: typeof lora | typeof adalora | typeof vera, given: Readonly<Record<string, unknown>>, memory: unknown = null) {
  const { subject, shape, state } = prepare(tinySubject(), definition, given, { memory })
  disturb(state, /./)
  const options = definition.options.parse({ name: definition.name, ...given })
  const adapter: Adapter = { options, memory, state, card }
  return { adapter, subject: { model: subject.model, outline: shape } }
}

function saved(definition: typeof lora | typeof adalora | typeof vera, given: Readonly<Record<string, unknown>>, memory: unknown = null) {
  const parts = made(definition, given, memory)
  const folder = join(temporaryFolder(), 'adapter')
  saveAdapter(folder, parts.adapter, parts.subject)
  const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as Record<string, unknown>
  return { ...parts, folder, config, tensors: readHeader(join(folder, 'adapter_model.safetensors')).tensors }
}

test('LoRA comes back as it was saved, under names that PEFT knows', () => {
  const given = { r: 3, alpha: 5, dropout: 0.1, targets: ['attention-output', 'query'], layers: 'last 1', bias: 'lora_only', rslora: true }
  const { adapter, subject, folder, config, tensors } = saved(lora, given)
  const loaded = loadAdapter(folder, subject)
  assert.deepEqual(loaded.options, adapter.options)
  assert.deepEqual(loaded.card, card)
  assert.deepEqual([...loaded.state.keys()].sort(), [...adapter.state.keys()].sort())
  assertSameBits(loaded.state, adapter.state)
  assert.deepEqual(config.target_modules, ['1.attention.self.query', '1.attention.output.dense'])
  assert.deepEqual([config.r, config.lora_alpha, config.use_rslora, config.bias, config.task_type], [3, 5, true, 'lora_only', 'SEQ_CLS'])
  assert.equal(config.base_model_name_or_path, 'some/model')
  assert.deepEqual([...tensors.keys()].sort(), [
    'base_model.model.bert.encoder.layer.1.attention.output.dense.base_layer.bias',
    'base_model.model.bert.encoder.layer.1.attention.output.dense.lora_A.weight',
    'base_model.model.bert.encoder.layer.1.attention.output.dense.lora_B.weight',
    'base_model.model.bert.encoder.layer.1.attention.self.query.base_layer.bias',
    'base_model.model.bert.encoder.layer.1.attention.self.query.lora_A.weight',
    'base_model.model.bert.encoder.layer.1.attention.self.query.lora_B.weight',
    'base_model.model.classifier.bias',
    'base_model.model.classifier.weight',
  ])
})

test('a folder that Python saved into is refused until the note beside it is gone', () => {
  const { subject, folder, config } = saved(lora, { targets: ['query'], alpha: 4 })
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify({ ...config, lora_alpha: 9 }))
  assert.throws(
    () => loadAdapter(folder, subject),
    (error) =>
      error instanceof UserError && /config\.json has changed since .*or delete .*adatune\.json to read .*HF PEFT/.test(error.message),
  )
  rmSync(join(folder, 'adatune.json'))
  const { options } = loadAdapter(folder, subject)
  assert.equal(options.name === 'lora' && options.alpha, 9)
})

test('patterns whose order counts are written out for each module', () => {
  const { config, subject, folder, adapter } = saved(lora, {
    targets: ['query', 'value'],
    rankPattern: { value: 3, '0.attention.self.value': 5 },
  })
  assert.deepEqual(config.rank_pattern, {
    [`${LAYER}.attention.self.query`]: 8,
    [`${LAYER}.attention.self.value`]: 3,
    [queries[1]!]: 8,
    'bert.encoder.layer.1.attention.self.value': 3,
  })
  assertSameBits(loadAdapter(folder, subject).state, adapter.state)
  assert.deepEqual(saved(lora, { rankPattern: { query: 3 } }).config.rank_pattern, { query: 3 })
})

test('a module that is both adapted and trained in place is saved with the increment in its weight', () => {
  const { adapter, subject } = made(lora, { targets: ['query', 'pooler.dense'], r: 1, alpha: 2 })
  const weight = tensor(16, 16)
  const state = new Map([...adapter.state, ['bert.pooler.dense.weight', weight], ['bert.pooler.dense.bias', tensor(16)]] as [
    string,
    Tensor,
  ][])
  const folder = join(temporaryFolder(), 'adapter')
  saveAdapter(folder, { ...adapter, state }, subject)
  const loaded = loadAdapter(folder, subject)
  assert.ok(!loaded.state.has('bert.pooler.dense.A.weight'))
  const [a, b] = ['A', 'B'].map((role) => state.get(`bert.pooler.dense.${role}.weight`)!.data) as [Float32Array, Float32Array]
  const given = loaded.state.get('bert.pooler.dense.weight')!.data[2 * 16 + 5]!
  assert.ok(Math.abs(given - (0.5 + 2 * b[2]! * a[5]!)) < 1e-6)
})

test('projections that VeRA shares are cut to the modules that PEFT adapts', () => {
  const { adapter, subject } = made(vera, { r: 3, targets: ['query', 'up'] })
  const ups = [0, 1].map((layer) => `bert.encoder.layer.${layer}.intermediate.dense`)
  const trained = ups.flatMap((name): [string, Tensor][] => [
    [`${name}.weight`, tensor(32, 16)],
    [`${name}.bias`, tensor(32)],
  ])
  const folder = join(temporaryFolder(), 'adapter')
  saveAdapter(folder, { ...adapter, state: new Map([...adapter.state, ...trained]) }, subject)
  const { state } = loadAdapter(folder, subject)
  assert.deepEqual(state.get('shared.B.weight')!.shape, [16, 3])
  assert.deepEqual(state.get('shared.B.weight')!.data, adapter.state.get('shared.B.weight')!.data.slice(0, 16 * 3))
  const [a, b, inner, outer] = ['shared.A', 'shared.B', `${ups[1]}.d`, `${ups[1]}.b`].map(
    (name) => adapter.state.get(`${name}.weight`)!.data,
  )
  const expected = 0.5 + outer![20]! * [0, 1, 2].reduce((sum, k) => sum + b![20 * 3 + k]! * inner![k]! * a![k * 16 + 7]!, 0)
  assert.ok(Math.abs(state.get(`${ups[1]}.weight`)!.data[20 * 16 + 7]! - expected) < 1e-6)
})
