import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openAdapted } from '../../src/evaluate/adapted.ts'
import { findModel } from '../../src/evaluate/find-model.ts'
import { mergedIn } from '../../src/evaluate/merged-voice.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import { assertNear } from '../behaviour/tiny-model.ts'
import { command, projectFolder, tokenRows, writeRun } from './project.ts'

const folder = projectFolder()
/** Adapters by what merging makes of them. */
const methods = {
  lora: { name: 'lora', r: 2, bias: 'lora_only' },
  dora: { name: 'lora', r: 2, dora: true },
  bottleneck: { name: 'bottleneck', size: 4 },
  'no adapter': { name: 'head' },
}
const trained = new Map<string, Promise<string>>()
/** The adapter of a short run of a method. */
function adapterOf(name: keyof typeof methods): Promise<string> {
  const run = async (): Promise<string> => {
    const out = name.replace(' ', '-')
    writeRun(folder, `${out}.yaml`, { method: methods[name], train: { steps: 6, learningRate: 0.05 } })
    assert.deepEqual(await command(['train', `${out}.yaml`, '--out', out, '--quiet'], folder), { code: 0, stderr: '' })
    return join(folder, out, 'adapter')
  }
  if (!trained.has(name)) trained.set(name, run())
  return trained.get(name)!
}

const model = join(folder, 'model')
// More tokens than merging takes, and in parts that have fewer.
const many = tokenRows(900, 'many').map(({ input_ids }) => ({ input_ids }))
const parts = [many.slice(0, 450), many.slice(450)]

for (const name of ['lora', 'dora', 'bottleneck'] as const) {
  test(`${name}: many rows at once are answered as in parts`, async () => {
    const predictor = await openPredictor({ model, adapter: await adapterOf(name) })
    const logits = async (rows: typeof many): Promise<number[]> =>
      (await predictor.predict(rows, { logits: true })).flatMap((answer) => answer.logits as number[])
    const together = await logits(many)
    const apart = [...(await logits(parts[0]!)), ...(await logits(parts[1]!))]
    assertNear(together, apart, 1e-5)
    // Where the adapter is in the weights, sums are rounded otherwise.
    if (name !== 'bottleneck') assert.notDeepEqual(together, apart)
    assert.deepEqual(await logits(many), together)
    await predictor.close()
  })
}

test('what is nothing but weights is merged, what is more is not', async () => {
  const merged = async (name: keyof typeof methods) =>
    mergedIn(openAdapted(await findModel(model), { adapter: await adapterOf(name), task: null, labels: null }))
  const { state } = (await merged('lora'))!
  assert.ok(state.has('bert.encoder.layer.1.attention.self.query.weight') && state.has('classifier.weight'))
  assert.ok(![...state.keys()].some((key) => key.includes('lora')))
  assert.ok(await merged('dora'))
  assert.equal(await merged('bottleneck'), null)
  assert.equal(await merged('no adapter'), null)
})
