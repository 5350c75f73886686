import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { example, stepOptions, temporaryFolder, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { UserError } from '../errors.ts'
import { outline } from '../evaluate/assembly.ts'
import { methodFor } from '../evaluate/method-for.ts'
import { initialState } from '../evaluate/state.ts'
import { saveAdapter } from '../formats/index.ts'
import { adaloraOptions } from '../methods/adalora.ts'
import { methodOptions } from '../methods/index.ts'
import { openStep } from '../train/step.ts'
import { type InspectFlags, inspect } from './inspect.ts'

const folder = temporaryFolder()
const fields = { hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072, max_position_embeddings: 512 }
writeFileSync(join(folder, 'config.json'), JSON.stringify({ model_type: 'bert', vocab_size: 30522, ...fields }))

const asked = (flags: Partial<InspectFlags>): Promise<string> =>
  inspect({ model: folder, task: 'sequence-classification', labels: 2, set: [], json: false, ...flags })

test('a model alone lists what a method may target', async () => {
  const lines = (await asked({})).split('\n')
  assert.deepEqual(lines.slice(0, 2), [
    'bert: 12 layers of hidden size 768',
    '109,482,240 weights, with the head for sequence-classification (2 outputs) 109,483,778',
  ])
  assert.ok(lines.includes('up                     12  768 -> 3072  bert.encoder.layer.*.intermediate.dense'), lines.join('\n'))
  assert.ok(!lines.some((line) => line.includes('classifier ')))
  const { weights, linear } = JSON.parse(await asked({ json: true, task: 'token-classification', labels: 9 }))
  assert.equal(weights.head, 9 * 769)
  assert.equal(linear.length, 6)
})

test('a method shows its weights, its modules and what a budget became', async () => {
  const text = await asked({ method: 'adamix', set: ['method.budget=0.9M'] })
  assert.match(text, /^in training +2,223,360 +2\.03 % +2,224,898 +2\.03 % +331 MFLOP$/m)
  assert.match(text, /^at the end +894,528 +0\.817 % +896,066 +0\.818 % +166 MFLOP$/m)
  assert.match(text, /^budget 0\.9M: of\.size 48$/m)
  assert.match(text, /^feed-forward +12 +2,223,360 {2}bert\.encoder\.layer\.\*\.output\.dense$/m)
  assert.match(text, /^adapter with head: 3\.58 MB$/m)
  const ranks = await asked({ method: 'lora', set: ['method.budget={ ranks: 72 }'] })
  assert.match(ranks, /^budget of 72 ranks: r 3$/m)
})

test('settings of the run change what is counted', async () => {
  const step = async (set: string[]) => JSON.parse(await asked({ method: 'lora', set, json: true })).step
  const usual = await step([])
  assert.deepEqual([usual.rows, usual.length, usual.microBatches], [32, 128, 1])
  const half = await step(['train.batchSize=16'])
  assert.ok(Math.abs(half.flops / usual.flops - 0.5) < 1e-3, `${half.flops} of ${usual.flops}`)
  assert.ok(
    Math.abs(half.intermediateBytes / usual.intermediateBytes - 0.5) < 1e-2,
    `${half.intermediateBytes} of ${usual.intermediateBytes}`,
  )
  const { flops, microBatches } = await step(['train.batchSize=16', 'train.accumulate=2'])
  assert.deepEqual([flops, microBatches], [2 * half.flops, 2])
  assert.equal((await step(['data.maxLength=1000'])).length, 512)
  // Weights and two moments.
  assert.equal(usual.stateBytes, 3 * 4 * (294_912 + 1_538))
})

for (const options of [{ name: 'lora' }, { name: 'adalora', initR: 3, targetR: 2 }, { name: 'adamix' }, { name: 'full' }]) {
  test(`the operations foretold for ${options.name} are those that a step reports`, async () => {
    const subject = tinySubject()
    const shape = outline(subject)
    const parsed = methodOptions.parse(options)
    const method = methodFor(subject, shape, parsed, 20)
    const state = initialState(subject, shape, method, 1)
    const step = await openStep(subject, state, stepOptions(method))
    const { flops } = await step.run([[example(8, 0), example(8, 1)]], { seed: 1, step: 0 }, 1e-3)
    await step.close()
    const set = Object.entries(options).map(([name, value]) => `method.${name}=${value}`)
    const flags = {
      model: subject.model.folder,
      labels: 3,
      set: [...set, 'train.batchSize=2', 'data.maxLength=8', 'train.maxGradNorm=null'],
      json: true,
    }
    assert.equal(JSON.parse(await asked(flags)).step.flops, flops)
  })
}

test('a saved adapter is inspected in place of a method', async () => {
  const subject = tinySubject()
  const shape = outline(subject)
  const options = methodOptions.parse({ name: 'lora', r: 3 }) as Extract<ReturnType<typeof methodOptions.parse>, { name: 'lora' }>
  const state = initialState(subject, shape, methodFor(subject, shape, options), 1)
  const adapter = join(temporaryFolder(), 'adapter')
  const card = {
    task: 'sequence-classification',
    labels: ['a', 'b', 'c'],
    outputs: 3,
    baseModel: null,
    adapterName: null,
    totalSteps: null,
  } as const
  saveAdapter(adapter, { options, memory: null, state, card }, { model: subject.model, outline: shape })
  const flags = { model: subject.model.folder, adapter, json: true }
  const { model, method } = JSON.parse(await asked(flags))
  assert.equal(model.outputs, 3)
  assert.equal(method.merged.weights, 2 * 2 * 3 * (16 + 16))
  await assert.rejects(asked({ ...flags, method: 'lora' }), new UserError('Give either --method or --adapter.'))
})

test('an adapter shows the singular values of its increments beside those that AdaLoRA holds', async () => {
  const subject = tinySubject()
  const shape = outline(subject)
  const options = { name: 'adalora', initR: 8, targetR: 4, alpha: 4, targets: ['query'], layers: [1] } as const
  const parsed = adaloraOptions.parse(options)
  const state = initialState(subject, shape, methodFor(subject, shape, parsed), 1)
  const module = 'bert.encoder.layer.1.attention.self.query'
  state.get(`${module}.E.weight`)!.data.set([1, -2, 4, 8, 16, 32, 64, 128])
  for (const [role, step] of [
    ['A', 17],
    ['B', 9],
  ] as const) {
    const { data } = state.get(`${module}.${role}.weight`)!
    data.fill(0)
    for (let i = 0; i < 8; i++) data[i * step] = role === 'A' ? 1 : 0.5
  }
  const adapter = join(temporaryFolder(), 'adapter')
  const card = {
    task: 'sequence-classification',
    labels: ['a', 'b', 'c'],
    outputs: 3,
    baseModel: null,
    adapterName: null,
    totalSteps: 20,
  } as const
  saveAdapter(adapter, { options: parsed, memory: null, state, card }, { model: subject.model, outline: shape })
  const flags = { model: subject.model.folder, adapter }
  const { spectra } = JSON.parse(await asked({ ...flags, json: true }))
  assert.deepEqual([spectra.length, spectra[0].module, spectra[0].rank], [1, module, 8])
  assert.deepEqual(spectra[0].lambda, [128, 64, 32, 16, 8, 4, 2, 1])
  assert.ok(Math.abs(spectra[0].singularValues[0] - 32) < 1e-3, 'c is a half, and so is B')
  const text = await asked(flags)
  assert.match(text, /^ *8 {2}64 32 16 8 4 … 0\.5 {2}32 16 8 4 2 … 0\.25 {2}bert\.encoder\.layer\.1\.attention\.self\.query$/m)
  assert.doesNotMatch(await asked({ model: subject.model.folder, method: 'adalora' }), /singular values/)
})

test('faults are named', async () => {
  const fails = (flags: Partial<InspectFlags>, message: RegExp): Promise<void> =>
    assert.rejects(asked(flags), { name: 'UserError', message })
  await fails({ method: 'lorra' }, /"lorra"; known are lora.*Did you mean "lora"/)
  await fails({ method: 'lora', set: ['method.rank=2'] }, /"method\.rank" is not known\. Did you mean "r"/)
  await fails({ method: 'lora', set: ['method.r'] }, /write it as/)
  await fails({ method: 'lora', set: ['method.r=[1'] }, /--set method\.r=\[1: /)
  await fails({ method: 'lora', set: ['model.x=2'] }, /--set model\.x=2: /)
  await fails({ method: 'lora', set: ['__proto__.x=2'] }, /"__proto__" is not allowed/)
  await fails({ set: ['method.r=2'] }, /needs --method/)
})
