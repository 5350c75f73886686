import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRows } from '../../src/data/read-rows.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import { extractAdapter } from '../../src/merging/extract.ts'
import { mergeAdapter } from '../../src/merging/merge.ts'
import { squaredNorm } from '../../src/nn/tensor.ts'
import { readHeader, readTensor } from '../../src/weights/safetensors.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { assertNear } from '../behaviour/tiny-model.ts'
import { command, projectFolder, readJson, succeed, writeModel, writeRun } from './project.ts'

const folder = projectFolder()
const at = (name: string): string => join(folder, name)

async function trained(name: string, method: Record<string, unknown>): Promise<void> {
  writeRun(folder, `${name}.yaml`, { method, train: { steps: 6, learningRate: 0.02 } })
  const { code, stderr } = await command(['train', `${name}.yaml`, '--out', name, '--quiet'], folder)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
}
const runs = (async () => {
  await trained('full', { name: 'full' })
  await trained('lora', { name: 'lora', r: 3, targets: ['query', 'up', 'down'] })
  await mergeAdapter({ model: at('model'), adapter: at('lora/adapter'), out: at('merged') })
})()

async function logits(model: string, adapter: string | null): Promise<number[]> {
  const predictor = await openPredictor({ model: at(model), adapter: adapter && at(adapter) })
  const answers = await predictor.predict(await readRows(at('eval.jsonl')), { logits: true })
  await predictor.close()
  return answers.flatMap(({ logits }) => logits as number[])
}
const weightsOf = (model: string): Map<string, Float32Array> =>
  new Map([...readHeader(join(at(model), 'model.safetensors')).tensors].map(([name, entry]) => [name, readTensor(entry)]))
const apart = (a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>, name: string): number =>
  squaredNorm(a.get(name)!.map((value, i) => value - b.get(name)![i]!))

test('a LoRA that was merged comes back whole from the two models, with the head', async () => {
  await runs
  const { kept, modules, leftOut, head, logitGap } = await extractAdapter({ base: at('model'), tuned: at('merged'), r: 3, out: at('back') })
  assert.deepEqual([modules.length, leftOut.tensors, head], [6, [], true])
  assert.ok(Math.abs(kept - 1) < 1e-4 && modules.every((one) => Math.abs(one.kept - 1) < 1e-4), JSON.stringify(modules))
  assert.ok(logitGap < 1e-4)
  assertNear(await logits('model', 'back'), await logits('model', 'lora/adapter'), 1e-4)
  const config = readJson(folder, 'back', 'adapter_config.json')
  assert.deepEqual([config.peft_type, config.r, config.lora_alpha, config.task_type], ['LORA', 3, 3, 'SEQ_CLS'])
})

test('what is kept of a full fine-tuning is what merging it back leaves, and grows with the rank', async () => {
  await runs
  const [before, after] = [weightsOf('model'), weightsOf('full/adapter')]
  let last = 0
  for (const r of [1, 4]) {
    const { kept, modules, leftOut } = await extractAdapter({ base: at('model'), tuned: at('full/adapter'), r, out: at(`of-${r}`) })
    await mergeAdapter({ model: at('model'), adapter: at(`of-${r}`), out: at(`with-${r}`) })
    const merged = weightsOf(`with-${r}`)
    let [all, missed] = [0, 0]
    for (const one of modules) {
      const [size, left] = [apart(before, after, `${one.module}.weight`), apart(merged, after, `${one.module}.weight`)]
      assertNear([1 - left / size], [one.kept], 1e-4, one.module)
      all += size
      missed += left
    }
    assertNear([1 - missed / all], [kept], 1e-4)
    const others = leftOut.tensors.reduce((sum, name) => sum + apart(before, after, name), 0)
    assertNear([others / (others + all)], [leftOut.share], 1e-4)
    assert.ok(
      leftOut.tensors.includes('bert.embeddings.word_embeddings.weight') && !leftOut.tensors.some((name) => /classifier/.test(name)),
    )
    assert.ok(kept > last && kept < 1)
    last = kept
  }
})

test('a model without a head gives a LoRA without one, seen through a random head', async () => {
  await runs
  writeModel(at('moved'))
  const moved = [...weightsOf('moved')].map(([name, data]): [string, { shape: readonly number[]; data: Float32Array }] => {
    const { shape } = readHeader(join(at('moved'), 'model.safetensors')).tensors.get(name)!
    return [name, { shape, data: /query.weight$/.test(name) ? data.map((value, i) => value + (i % shape[1]!) / 50) : data }]
  })
  writeSafetensors(join(at('moved'), 'model.safetensors'), moved)
  const { head, kept, logitGap } = await extractAdapter({ base: at('model'), tuned: at('moved'), r: 1, out: at('headless') })
  assert.equal(head, false)
  assert.ok(Math.abs(kept - 1) < 1e-4 && logitGap < 1e-4)
  assert.ok(
    [...readHeader(join(at('headless'), 'adapter_model.safetensors')).tensors.keys()].every((name) => /query\.lora_[AB]/.test(name)),
  )
})

test('the command tells shares, the gap and what it left out', async () => {
  await runs
  const flags = ['extract', '--base', 'model', '--tuned', 'full/adapter', '--r', '2', '--targets', 'query,value']
  const said = await succeed([...flags, '--out', 'told'], folder)
  assert.match(said, /^LoRA of rank 2 in 4 modules, with the head, in told; of the squared difference it keeps\n {2}\S+% in bert\.encoder/)
  assert.match(said, /On random rows its logits differ by at most \S+ of the largest from those of full\/adapter\./)
  assert.match(said, /Left out, .*: \S+% of the squared difference, in \d+ tensors: bert\.embeddings/)
  // A folder's path says nothing on another machine.
  assert.equal(readJson(folder, 'told', 'adapter_config.json').base_model_name_or_path, null)
  const told = JSON.parse(await succeed([...flags, '--json', '--out', 'told-json'], folder)) as { modules: unknown[]; logitGap: number }
  assert.equal(told.modules.length, 4)
  assert.ok(told.logitGap > 1e-4)
})

const wrong: readonly (readonly [string, string[], RegExp])[] = [
  ['the same model twice', ['--tuned', 'model', '--r', '2'], /have the same weights in all targets/],
  ['a rank of 0', ['--tuned', 'merged', '--r', '0'], /--r 0: expected a whole number of at least 1/],
  ['a target that is not there', ['--tuned', 'merged', '--r', '1', '--targets', 'qery'], /Did you mean "query"/],
  [
    'another task than the head has',
    ['--tuned', 'merged', '--r', '1', '--task', 'question-answering'],
    /has no head for question-answering/,
  ],
  [
    'a model of other sizes',
    ['--tuned', 'narrow', '--r', '1'],
    /has "bert\.encoder\S+" as \[32,16\], and narrow as \[24,16\]; give the model/,
  ],
]
for (const [name, flags, says] of wrong) {
  test(`${name} is refused`, async () => {
    await runs
    writeModel(at('narrow'), { fields: { intermediate_size: 24 } })
    const { code, stderr } = await command(['extract', '--base', 'model', ...flags, '--out', 'refused'], folder)
    assert.match(stderr, says)
    assert.deepEqual([code, existsSync(at('refused')), readdirSync(folder).filter((file) => file.includes('.tmp'))], [2, false, []])
  })
}
