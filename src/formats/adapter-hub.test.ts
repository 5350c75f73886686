import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertSameBits, disturb, prepare, temporaryFolder, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { bottleneck, variants } from '../methods/bottleneck.ts'
import type { Tensor } from '../nn/method.ts'
import { readHeader } from '../weights/safetensors.ts'
import { writeSafetensors } from '../weights/write-safetensors.ts'
import type { Adapter, Card } from './adapter.ts'
import { describeAdapter, loadAdapter, saveAdapter } from './index.ts'

const card: Card = {
  task: 'sequence-classification',
  labels: ['a', 'b', 'c'],
  outputs: 3,
  baseModel: null,
  adapterName: 'mine',
  totalSteps: null,
}

function saved(given: Readonly<Record<string, unknown>>, more: Iterable<[string, Tensor]> = []) {
  const { subject: made, shape, state } = prepare(tinySubject(), bottleneck, given)
  disturb(state, /./)
  const options = bottleneck.options.parse({ name: 'bottleneck', ...given })
  const adapter: Adapter = { options, memory: null, state: new Map([...state, ...more]), card }
  const subject = { model: made.model, outline: shape }
  const folder = join(temporaryFolder(), 'adapter')
  saveAdapter(folder, adapter, subject)
  const about = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as { config: Record<string, unknown> }
  return { adapter, subject, folder, about, config: about.config }
}

const refuses = (run: () => unknown, pattern: RegExp): void =>
  assert.throws(run, (error) => error instanceof UserError && pattern.test(error.message))

for (const variant of Object.keys(variants)) {
  test(`${variant} is told by its fields alone`, () => {
    const { adapter, subject, folder } = saved({ variant, reduction: 4 })
    const own = loadAdapter(folder, subject)
    assert.deepEqual(own.options, adapter.options)
    assertSameBits(own.state, adapter.state)
    rmSync(join(folder, 'adatune.json'))
    const { options, state } = loadAdapter(folder, subject)
    assert.ok(options.name === 'bottleneck')
    assert.deepEqual([options.variant, options.reduction, options.size], [variant, 4, null])
    assert.deepEqual([options.activation, options.scaling], [variants[options.variant].activation, variants[options.variant].scaling])
    assertSameBits(state, adapter.state)
    assert.deepEqual(describeAdapter(folder), card)
  })
}

test('tensors and head have the names that adapter-hub gives them', () => {
  const { folder } = saved({ variant: 'houlsby', layers: [1] })
  const names = [...readHeader(join(folder, 'adapter.safetensors')).tensors.keys()].sort()
  const ends = ['adapter_down.0.bias', 'adapter_down.0.weight', 'adapter_up.bias', 'adapter_up.weight']
  const modules = ['bert.encoder.layer.1.attention.output', 'bert.encoder.layer.1.output']
  assert.deepEqual(
    names,
    modules.flatMap((module) => ends.map((end) => `${module}.adapters.mine.${end}`)),
  )
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'head_config.json'), 'utf8')), {
    config: null,
    hidden_size: 16,
    label2id: { a: 0, b: 1, c: 2 },
    model_class: 'BertForSequenceClassification',
    model_name: '',
    model_type: 'bert',
    name: null,
    num_labels: 3,
    version: 'adapters.1.3.0',
  })
  const text = readFileSync(join(folder, 'adapter_config.json'), 'utf8')
  assert.match(text, /"leave_out": \[\n {6}0\n {4}\],/)
  assert.match(text, /"scaling": 1\.0,/)
})

test('any width has a reduction that gives it', () => {
  for (const size of [1, 3, 5, 7, 11, 16, 20]) {
    const { subject, folder, config, adapter } = saved({ size })
    assert.equal(Math.max(1, Math.floor(16 / (config.reduction_factor as number))), size)
    rmSync(join(folder, 'adatune.json'))
    assertSameBits(loadAdapter(folder, subject).state, adapter.state)
  }
})

test('other trained tensors of the model are kept with the head', () => {
  const pooler: [string, Tensor] = ['bert.pooler.dense.bias', { shape: [16], data: new Float32Array(16).fill(3) }]
  const { subject, folder } = saved({}, [pooler])
  assert.deepEqual(loadAdapter(folder, subject).state.get(pooler[0]), pooler[1])
})

test('a head under the names of the model alone is read; a flexible one is refused', () => {
  const { subject, folder, adapter } = saved({})
  for (const file of ['model_head.safetensors', 'head_config.json', 'adatune.json']) rmSync(join(folder, file))
  const without = loadAdapter(folder, subject)
  assert.ok(!without.state.has('classifier.weight') && without.card.outputs === null)
  const classifier = [...adapter.state].filter(([name]) => name.startsWith('classifier.'))
  writeSafetensors(join(folder, 'classifier.safetensors'), classifier)
  assertSameBits(loadAdapter(folder, subject).state, adapter.state)
  writeFileSync(join(folder, 'head_config.json'), JSON.stringify({ name: 'mine', config: { head_type: 'multiple_choice', layers: 2 } }))
  refuses(() => describeAdapter(folder), /flexible head \("head_type" "multiple_choice"\) of a kind that is not known/)
})

test('forms that are not supported are refused by name', () => {
  const { subject, folder, about, config } = saved({})
  const cases: Record<string, unknown> = {
    ln_before: true,
    ln_after: true,
    phm_layer: true,
    inv_adapter: 'nice',
    cross_adapter: true,
    use_gating: true,
    adapter_residual_before_ln: true,
    residual_before_ln: 'post_add',
    original_ln_after: false,
    dropout: 0.1,
    scaling: 'learned',
    reduction_factor: { 0: 2, default: 4 },
    non_linearity: 'leakyrelu',
    output_adapter: false,
    mh_adapter: true,
    leave_out: [0, 1],
    architecture: 'reft',
    from_the_future: 2,
  }
  rmSync(join(folder, 'adatune.json'))
  for (const [field, value] of Object.entries(cases)) {
    writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify({ ...about, config: { ...config, [field]: value } }))
    refuses(() => loadAdapter(folder, subject), new RegExp(`adapter_config\\.json.*"${field}"`))
  }
})

test('a torch file from before release 1.6 is refused', () => {
  const { subject, folder } = saved({})
  for (const file of ['adapter.safetensors', 'adatune.json']) rmSync(join(folder, file))
  writeFileSync(join(folder, 'pytorch_adapter.bin'), '')
  refuses(() => loadAdapter(folder, subject), /pytorch_adapter\.bin: it is no zip file as torch saves since 1\.6/)
  assert.ok(existsSync(join(folder, 'adapter_config.json')))
})
