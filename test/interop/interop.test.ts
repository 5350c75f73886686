import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../src/errors.ts'
import { openAdapted } from '../../src/evaluate/adapted.ts'
import { findModel } from '../../src/evaluate/find-model.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import type { OpenTask } from '../../src/evaluate/open-task.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import { initialState } from '../../src/evaluate/state.ts'
import { describeAdapter, loadAdapter, saveAdapter } from '../../src/formats/index.ts'
import type { MethodOptions } from '../../src/methods/index.ts'
import { assertNear, assertSameBits, temporaryFolder } from '../behaviour/tiny-model.ts'

const here = dirname(fileURLToPath(import.meta.url))
const model = (kind: string): string => join(here, kind, 'model')

type Numbers = readonly (number | Numbers)[]
const flat = (numbers: Numbers): number[] => (numbers as number[][][]).flat(3) as number[]

/** Logits of an adapter on the rows that Python answered, and what was warned of. */
async function answer(folder: string, kind: string): Promise<{ given: number[]; expected: number[]; notices: string[] }> {
  const notices: string[] = []
  const { rows, logits } = JSON.parse(readFileSync(join(folder, 'logits.json'), 'utf8')) as { rows: number[][]; logits: Numbers }
  const predictor = await openPredictor({ model: model(kind), adapter: folder, notice: (text) => notices.push(text) })
  const answers = await predictor.predict(
    rows.map((input_ids) => ({ input_ids })),
    { logits: true },
  )
  await predictor.close()
  return { given: flat(answers.map((row) => Object.values(row) as unknown as Numbers)), expected: flat(logits), notices }
}

const stateOf = (options: MethodOptions, { subject, outline }: OpenTask) =>
  initialState(subject, outline, methodFor(subject, outline, options), 1)

const cases = {
  'bert/lora': 'lora',
  'bert/houlsby': 'bottleneck',
  'bert/legacy': 'bottleneck',
  'bert/prefix': 'prefix',
  'bert/prefix-flat': 'prefix',
  'bert/prompt': 'prompt',
  'bert/ia3': 'ia3',
  'bert/flexible-pooled': 'bottleneck',
  'bert/flexible-tagging': 'lora',
  'bert/flexible-answers': 'lora',
  'bert/peft-bin': 'lora',
  'bert/peft-half': 'lora',
  'roberta/flexible': 'lora',
  'roberta/prefix': 'prefix',
  'roberta/prompt': 'prompt',
}

for (const [name, method] of Object.entries(cases)) {
  test(`${name} answers as in Python`, async () => {
    const folder = join(here, name)
    const kind = dirname(name)
    const { given, expected, notices } = await answer(folder, kind)
    assertNear(given, expected, 2e-5, name)
    assert.deepEqual(notices, [])
    const { adapter } = openAdapted(await findModel(model(kind)), { adapter: folder, task: null, labels: null })
    assert.equal(adapter!.options.name, method)
  })
}

test('what is read is saved again, and answers alike', async () => {
  for (const name of Object.keys(cases)) {
    const kind = dirname(name)
    const { open, adapter } = openAdapted(await findModel(model(kind)), { adapter: join(here, name), task: null, labels: null })
    const subject = { model: open.subject.model, outline: open.outline }
    const folder = join(temporaryFolder(), 'again')
    saveAdapter(folder, adapter!, subject)
    const again = loadAdapter(folder, subject)
    assert.deepEqual(again.options, adapter!.options, name)
    assertSameBits(again.state, adapter!.state)
  }
})

test('a prefix whose text keeps its positions is saved as adapter-hub does', async () => {
  const { open, adapter } = openAdapted(await findModel(model('bert')), { adapter: join(here, 'bert/prefix'), task: null, labels: null })
  const folder = join(temporaryFolder(), 'flat')
  saveAdapter(folder, adapter!, { model: open.subject.model, outline: open.outline })
  const { config, name } = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'))
  assert.deepEqual([config.architecture, config.flat, config.prefix_length, name], ['prefix_tuning', true, 3, 'mine'])
  const shifted = { ...adapter!, options: { ...adapter!.options, positions: 'shifted' } as MethodOptions }
  const other = join(temporaryFolder(), 'peft')
  saveAdapter(other, shifted, { model: open.subject.model, outline: open.outline })
  assert.equal(JSON.parse(readFileSync(join(other, 'adapter_config.json'), 'utf8')).peft_type, 'PREFIX_TUNING')
})

test('what came from adapter-hub goes back there, to the same config and the same bytes', async () => {
  for (const name of ['bert/ia3', 'bert/lora', 'bert/prompt', 'roberta/prompt']) {
    const { open, adapter } = openAdapted(await findModel(model(dirname(name))), { adapter: join(here, name), task: null, labels: null })
    const ours = join(temporaryFolder(), 'ours')
    saveAdapter(ours, adapter!, { model: open.subject.model, outline: open.outline })
    for (const file of ['adapter.safetensors', 'model_head.safetensors'])
      assert.ok(readFileSync(join(here, name, file)).equals(readFileSync(join(ours, file))), `${name}/${file}`)
    for (const file of ['adapter_config.json', 'head_config.json']) {
      const [theirs, written] = [join(here, name), ours].map((at) => JSON.parse(readFileSync(join(at, file), 'utf8')))
      assert.deepEqual(written, theirs, `${name}/${file}`)
    }
  }
})

test('LoRA and IA3 that adapter-hub cannot say are saved as HF PEFT does', async () => {
  const { open, adapter } = openAdapted(await findModel(model('bert')), { adapter: join(here, 'bert/lora'), task: null, labels: null })
  for (const more of [{ rslora: true }, { bias: 'lora_only' }, { targets: 'all-linear' }, { exclude: ['key'] }]) {
    const given = { ...adapter!.options, ...more } as MethodOptions
    const folder = join(temporaryFolder(), 'peft')
    saveAdapter(folder, { ...adapter!, options: given, state: stateOf(given, open) }, { model: open.subject.model, outline: open.outline })
    assert.equal(JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')).peft_type, 'LORA', JSON.stringify(more))
  }
})

test('what HF PEFT, adapters and transformers wrote is written again to the same bytes', async () => {
  const golden = join(here, '../golden')
  const cases = readdirSync(golden).filter((name) => existsSync(join(golden, name, 'adapter_final')))
  assert.ok(cases.length > 20)
  for (const name of cases) {
    const theirs = join(golden, name, 'adapter_final')
    const task = describeAdapter(theirs).task ?? 'sequence-classification'
    const { open, adapter } = openAdapted(await findModel(join(golden, name, 'base')), { adapter: theirs, task, labels: null })
    const ours = join(temporaryFolder(), 'ours')
    saveAdapter(ours, adapter!, { model: open.subject.model, outline: open.outline })
    // A bare head is read, and saved as adapter-hub saves it.
    for (const file of readdirSync(theirs).filter((each) => each !== 'classifier.safetensors'))
      assert.ok(readFileSync(join(theirs, file)).equals(readFileSync(join(ours, file))), `${name}/${file}`)
  }
})

const refusals: Readonly<Record<string, RegExp>> = {
  'bert/flexible-deep':
    /flexible head \("head_type" "classification"\) of 2 layer\(s\), and that of this model has 1; save it from a static class/,
}

const changed: readonly (readonly [name: string, from: string, to: string, says: RegExp])[] = [
  ['bert/prompt', '"combine": "prefix"', '"combine": "prefix_after_bos"', /"combine" is "prefix_after_bos": the prompt follows the first/],
  ['bert/ia3', '"r": 1', '"r": 2', /"composition_mode" is "scale" \(IA3\), which goes with "r" 1/],
  ['bert/ia3', '"use_gating": false', '"use_gating": true', /"use_gating" is true: the adapter is gated/],
]

for (const [name, from, to, says] of changed) {
  test(`${name} with ${to} is refused with the reason`, async () => {
    const folder = join(temporaryFolder(), 'changed')
    cpSync(join(here, name), folder, { recursive: true })
    const file = join(folder, 'adapter_config.json')
    assert.ok(readFileSync(file, 'utf8').includes(from))
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))
    const found = await findModel(model('bert'))
    assert.throws(
      () => openAdapted(found, { adapter: folder, task: null, labels: null }),
      (error) => error instanceof UserError && says.test(error.message),
    )
  })
}

for (const [name, says] of Object.entries(refusals)) {
  test(`${name} is refused with the reason`, async () => {
    const found = await findModel(model(dirname(name)))
    assert.throws(
      () => openAdapted(found, { adapter: join(here, name), task: null, labels: null }),
      (error) => error instanceof UserError && says.test(error.message),
    )
  })
}

test('labels and task of a flexible head are told', () => {
  const { task, labels, outputs, adapterName } = describeAdapter(join(here, 'bert/flexible-pooled'))
  assert.deepEqual(
    { task, labels, outputs, adapterName },
    { task: 'sequence-classification', labels: ['a', 'b', 'c'], outputs: 3, adapterName: 'mine' },
  )
  assert.equal(describeAdapter(join(here, 'bert/flexible-tagging')).task, 'token-classification')
  assert.equal(describeAdapter(join(here, 'bert/flexible-answers')).task, 'question-answering')
})

test('LoRA of before release 1.1 was not scaled', async () => {
  const folder = join(temporaryFolder(), 'old')
  cpSync(join(here, 'bert/lora'), folder, { recursive: true })
  const file = join(folder, 'adapter_config.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace('adapters.1.3.0', 'adapters.1.0.1'))
  const { adapter } = openAdapted(await findModel(model('bert')), { adapter: folder, task: null, labels: null })
  const options = adapter!.options
  assert.deepEqual(options.name === 'lora' && [options.r, options.alpha, options.layers], [2, 2, [1]])
})
