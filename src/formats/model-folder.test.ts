import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertSameBits, disturb, prepare, temporaryFolder, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { bitfit } from '../methods/bitfit.ts'
import { bottleneck } from '../methods/bottleneck.ts'
import { full } from '../methods/full.ts'
import { head } from '../methods/head.ts'
import { ia3 } from '../methods/ia3.ts'
import { lora } from '../methods/lora.ts'
import { openModel } from '../models/open.ts'
import { readTensor } from '../weights/safetensors.ts'
import type { Card } from './adapter.ts'
import { describeAdapter, loadAdapter, mergeState, saveAdapter, saveModel, unmergeState } from './index.ts'

const card: Card = {
  task: 'sequence-classification',
  labels: ['no', 'maybe', 'yes'],
  outputs: 3,
  baseModel: null,
  adapterName: null,
  totalSteps: 7,
}

function made(
  definition: typeof lora | typeof full | typeof bitfit | typeof head | typeof bottleneck,
  given: Readonly<Record<string, unknown>> = {},
) {
  const { subject, shape, state, method } = prepare(tinySubject({ torch_dtype: 'float16', layer_norm_eps: 1e-12 }), definition, given)
  disturb(state, /./)
  const options = definition.options.parse({ name: definition.name, ...given })
  return {
    adapter: { options, memory: null, state, card },
    method,
    subject: { model: subject.model, outline: shape },
    folder: join(temporaryFolder(), 'out'),
  }
}

test('full fine-tuning leaves a model folder with every tensor, its labels and its tokenizer', () => {
  const { adapter, subject, folder } = made(full)
  const beside = { 'vocab.txt': 'a\nb\n', 'chat_template.jinja': '{{ messages }}', 'generation_config.json': '{"eos_token_id": 2}' }
  for (const [name, text] of Object.entries(beside)) writeFileSync(join(subject.model.folder, name), text)
  saveAdapter(folder, adapter, subject)
  const model = openModel(folder, (checkpoint) => checkpoint)
  assert.deepEqual([...model.tensors.keys()].sort(), [...subject.outline.base.keys()].sort())
  const text = readFileSync(join(folder, 'config.json'), 'utf8')
  assert.match(text, /"hidden_dropout_prob": 0\.0,/)
  assert.match(text, /"layer_norm_eps": 1e-12,/)
  assert.deepEqual(model.config.id2label, { 0: 'no', 1: 'maybe', 2: 'yes' })
  assert.deepEqual(model.config.label2id, { no: 0, maybe: 1, yes: 2 })
  assert.deepEqual(model.config.architectures, ['BertForSequenceClassification'])
  assert.deepEqual([model.config.problem_type, model.config.torch_dtype], ['single_label_classification', 'float32'])
  for (const [name, expected] of Object.entries(beside)) assert.equal(readFileSync(join(folder, name), 'utf8'), expected)
  const loaded = loadAdapter(folder, subject)
  assertSameBits(loaded.state, adapter.state)
  assert.deepEqual([loaded.options, loaded.card], [adapter.options, card])
})

test('of layers trained alone, those come back, and what else differs from the model', () => {
  const { adapter, subject, folder } = made(full, { layers: [1] })
  const bias = { shape: [16], data: new Float32Array(16).fill(9) }
  const state = new Map([...adapter.state, ['bert.pooler.dense.bias', bias] as const])
  saveAdapter(folder, { ...adapter, state }, subject)
  const loaded = loadAdapter(folder, subject)
  assert.deepEqual([...loaded.state.keys()].sort(), [...state.keys()].sort())
  assertSameBits(loaded.state, state)
})

test('regression has one output and says so; a model folder tells its task', () => {
  const { adapter, subject } = made(full)
  const folder = join(temporaryFolder(), 'regression')
  const one = { ...card, task: 'regression', labels: null, outputs: 1 } as const
  saveModel(folder, subject.model, adapter.state, one, subject.outline.base)
  const { config } = openModel(folder, (checkpoint) => checkpoint)
  assert.deepEqual([config.problem_type, config.id2label], ['regression', { 0: 'LABEL_0' }])
  rmSync(join(folder, 'adatune.json'))
  assert.deepEqual(describeAdapter(folder), { ...one, totalSteps: null })
})

test('a model that adatune did not write is never replaced', () => {
  const { adapter, subject } = made(full)
  const before = readFileSync(join(subject.model.folder, 'model.safetensors'))
  assert.throws(() => saveAdapter(subject.model.folder, adapter, subject), UserError)
  assert.ok(readFileSync(join(subject.model.folder, 'model.safetensors')).equals(before))
})

for (const definition of [bitfit, head]) {
  test(`${definition.name} keeps the changed tensors alone`, () => {
    const { adapter, subject, folder } = made(definition)
    const weight = { shape: [16, 16], data: new Float32Array(256).fill(1) }
    const state = new Map([...adapter.state, ['bert.pooler.dense.weight', weight] as const])
    saveAdapter(folder, { ...adapter, state }, subject)
    const loaded = loadAdapter(folder, subject)
    assert.deepEqual([...loaded.state.keys()].sort(), [...state.keys()].sort())
    assertSameBits(loaded.state, state)
    assert.equal(loaded.options.name, definition.name)
  })
}

test('methods that do more than add to the weights cannot be taken out of them', () => {
  for (const [definition, options] of [
    [ia3, {}],
    [lora, { dora: true }],
  ] as const) {
    const { subject, shape, method, state } = prepare(tinySubject(), definition as typeof lora, options)
    assert.throws(
      () => unmergeState(subject.model, method, state, shape.sites),
      (error) => error instanceof UserError && /cannot be taken out/.test(error.message),
    )
  }
})

test('merging adds increments to the weights and keeps what else was trained', () => {
  const { adapter, subject, method, folder } = made(lora, { targets: ['value'], r: 2, alpha: 6, bias: 'lora_only' })
  const { model, outline } = subject
  const merged = mergeState(model, method, adapter.state, outline.sites)
  const name = 'bert.encoder.layer.1.attention.self.value'
  const [a, b] = ['A', 'B'].map((role) => adapter.state.get(`${name}.${role}.weight`)!.data) as [Float32Array, Float32Array]
  const base = readTensor(model.find(`${name}.weight`)!)
  const expected = base[3 * 16 + 4]! + 3 * (b[6]! * a[4]! + b[7]! * a[20]!)
  assert.ok(Math.abs(merged.get(`${name}.weight`)!.data[3 * 16 + 4]! - expected) < 1e-6)
  assert.deepEqual(merged.get(`${name}.bias`), adapter.state.get(`${name}.bias`))
  assert.ok(![...merged.keys()].some((key) => /\.[AB]\.weight$/.test(key)))
  saveModel(folder, model, merged, card, outline.base)
  const loaded = openModel(folder, (checkpoint) => checkpoint)
  for (const key of outline.base.keys()) {
    const data = merged.get(key)?.data ?? readTensor(model.find(key)!)
    assert.deepEqual(readTensor(loaded.find(key)!), data, key)
  }
})

test("merging puts BitFit's biases in the place of the model's", () => {
  const { adapter, subject, method } = made(bitfit)
  const merged = mergeState(subject.model, method, adapter.state, subject.outline.sites)
  assert.ok(merged.has('bert.encoder.layer.0.attention.output.LayerNorm.bias'))
  assert.deepEqual([...merged.keys()].sort(), [...adapter.state.keys()].sort())
  assertSameBits(merged, adapter.state)
})

test('a bottleneck cannot be merged', () => {
  const { adapter, subject, method } = made(bottleneck)
  assert.throws(() => mergeState(subject.model, method, adapter.state, subject.outline.sites), /bottleneck cannot be merged/)
})
