import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertSameBits, prepare, temporaryFolder, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { outline } from '../evaluate/assembly.ts'
import { heads } from '../heads/index.ts'
import { type Ia3Options, ia3 } from '../methods/ia3.ts'
import { prompt } from '../methods/prompt.ts'
import { openModel } from '../models/open.ts'
import { writeSafetensors } from '../weights/write-safetensors.ts'
import { loadAdapter, saveAdapter } from './index.ts'

const cases = join(import.meta.dirname, '../../test/golden')

/** Lists of names are sets in PEFT, written in no order. */
const sorted = (text: string): string =>
  text.replace(
    /\[\n([^\]]*)\n\s*\]/g,
    (_, names: string) =>
      `[${names
        .split(/,\s*/)
        .map((name) => name.trim())
        .sort()}]`,
  )

for (const name of ['bert-cls-lora', 'bert-cls-dora', 'bert-cls-ia3', 'bert-cls-vera']) {
  test(`${name}: what PEFT saved is saved again in the same bytes`, () => {
    const model = openModel(join(cases, name, 'base'), (checkpoint) => checkpoint)
    const subject = { model, outline: outline({ model, head: heads['sequence-classification'], labels: 3 }) }
    const [theirs, ours] = [join(cases, name, 'adapter_final'), join(temporaryFolder(), 'adapter')]
    saveAdapter(ours, loadAdapter(theirs, subject), subject)
    const bytes = (folder: string, file: string): Buffer => readFileSync(join(folder, file))
    assert.ok(bytes(ours, 'adapter_model.safetensors').equals(bytes(theirs, 'adapter_model.safetensors')))
    const [given, expected] = [ours, theirs].map((folder) => sorted(bytes(folder, 'adapter_config.json').toString()))
    assert.equal(given, expected)
  })
}

/** What PEFT is told of an adapter, and whether it comes back as it was. */
function told(options: Partial<Ia3Options>): Record<string, unknown> {
  const { subject, shape, state } = prepare(tinySubject(), ia3, options)
  const full = ia3.options.parse({ name: 'ia3', ...options })
  const card = { task: 'sequence-classification', labels: null, outputs: 3, baseModel: null, adapterName: null, totalSteps: null } as const
  const folder = join(temporaryFolder(), 'adapter')
  saveAdapter(folder, { options: full, memory: null, state, card }, { model: subject.model, outline: shape })
  assert.deepEqual(loadAdapter(folder, { model: subject.model, outline: shape }).options, full)
  return JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'))
}

test("IA3's roles and layers are said in words of PEFT, scaled inputs among the targets", () => {
  const byDefault = told({})
  assert.deepEqual(byDefault.target_modules, ['key', 'value', '0.output.dense', '1.output.dense'])
  assert.deepEqual(byDefault.feedforward_modules, ['0.output.dense', '1.output.dense'])
  assert.ok(!('layers_to_transform' in byDefault))
  const last = told({ targets: ['key', 'output.dense'], feedForward: ['output.dense'], layers: [1] })
  assert.deepEqual(last.target_modules, ['1.attention.self.key', '1.attention.output.dense', '1.output.dense'])
  const outputs = told({ targets: ['value', 'down'], feedForward: [] })
  assert.deepEqual([outputs.target_modules, outputs.feedforward_modules], [['value', '0.output.dense', '1.output.dense'], []])
})

test('P-tuning is kept as PEFT keeps it: the computed words, and what made them by name', () => {
  const { subject, shape, state } = prepare(tinySubject(), prompt, { tokens: 3, encoder: 'lstm', width: 6, computed: true })
  const options = prompt.options.parse({ name: 'prompt', tokens: 3, encoder: 'lstm', width: 6, computed: true })
  const card = { task: 'sequence-classification', labels: null, outputs: 3, baseModel: null, adapterName: null, totalSteps: null } as const
  const [folder, formats] = [join(temporaryFolder(), 'adapter'), { model: subject.model, outline: shape }]
  saveAdapter(folder, { options, memory: null, state, card }, formats)
  const config = readFileSync(join(folder, 'adapter_config.json'), 'utf8')
  assert.match(config, /"encoder_dropout": 0\.0,\n {2}"encoder_hidden_size": 6,\n {2}"encoder_num_layers": 2,/)
  const { peft_type, encoder_reparameterization_type, num_virtual_tokens, token_dim } = JSON.parse(config)
  assert.deepEqual([peft_type, encoder_reparameterization_type, num_virtual_tokens, token_dim], ['P_TUNING', 'LSTM', 3, 16])
  rmSync(join(folder, 'adatune.json'))
  writeFileSync(join(folder, 'adapter_config.json'), config.replace('"encoder_dropout": 0.0', '"encoder_dropout": 0.1'))
  const loaded = loadAdapter(folder, formats)
  assert.deepEqual(loaded.options, options)
  assertSameBits(loaded.state, state)
})

test('a prompt has as many rows as its config says that an encoder and decoder share; a prefix of another number is refused', () => {
  const theirs = join(cases, 'bart-s2s-prefix', 'adapter_final')
  const model = openModel(join(cases, 'bart-s2s-prefix', 'base'), (checkpoint) => checkpoint)
  const formats = { model, outline: outline({ model, head: heads['seq2seq-lm'], labels: 0 }) }
  const config = JSON.parse(readFileSync(join(theirs, 'adapter_config.json'), 'utf8'))
  const { hidden } = model.wiring
  const saved = (fields: object, rows: number): string => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify({ ...config, ...fields, num_virtual_tokens: 2 }))
    const data = Float32Array.from({ length: rows * hidden }, (_, i) => i)
    writeSafetensors(join(folder, 'adapter_model.safetensors'), [['prompt_embeddings', { shape: [rows, hidden], data }]])
    return folder
  }
  const { prefix_projection: _, encoder_hidden_size: _size, ...common } = config
  for (const shared of [1, 2]) {
    const fields = { ...common, peft_type: 'PROMPT_TUNING', num_transformer_submodules: shared }
    const [[, words]] = [...loadAdapter(saved(fields, 2 * shared), formats).state] as [[string, { shape: number[]; data: Float32Array }]]
    assert.deepEqual(words.shape, [2, hidden])
    assert.deepEqual([words.data[0], words.data.at(-1)], [0, 2 * hidden - 1])
  }
  assert.throws(() => loadAdapter(saved({ num_transformer_submodules: 1 }, 2), formats), {
    name: 'UserError',
    message: /"num_transformer_submodules" is 1, and a prefix is read for this model with 2 alone/,
  })
})
