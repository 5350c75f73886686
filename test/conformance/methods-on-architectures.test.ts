import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { outline, type Subject } from '../../src/evaluate/assembly.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { initialState } from '../../src/evaluate/state.ts'
import { methodFor, weightCounts } from '../../src/evaluate/weight-counts.ts'
import { loadAdapter, mergeState, saveAdapter } from '../../src/formats/index.ts'
import { heads } from '../../src/heads/index.ts'
import { inPlace } from '../../src/methods/in-place.ts'
import { methodOptions } from '../../src/methods/index.ts'
import { plainMethods } from '../../src/methods/plain.ts'
import { openModel } from '../../src/models/open.ts'
import { deployed, foldOf, type Method } from '../../src/nn/method.ts'
import { openStep } from '../../src/train/step.ts'
import { assertNear, assertSameBits, labels, stepOptions, temporaryFolder, rows as typedRows } from '../behaviour/tiny-model.ts'

/** Few virtual tokens, since the models have few positions. */
const small: Readonly<Record<string, object>> = { prompt: { tokens: 2 }, prefix: { tokens: 2 } }
const cases = [
  ...[...Object.keys(plainMethods), 'adamix'].map((name) => ({ title: name, given: { name, ...small[name] } })),
  { title: 'prompt behind the norm', given: { name: 'prompt', tokens: 2, place: 'embedded' } },
]
const steps = 20
/** Not every model has a second token type. */
const rows = typedRows.map((row) => ({ ...row, types: new Int32Array(row.types.length) }))

for (const modelType of ['roberta', 'distilbert', 'electra', 'deberta-v2']) {
  const model = openModel(join(import.meta.dirname, `../golden/${modelType}-cls-lora/base`), (checkpoint) => checkpoint)
  const subject: Subject = { model, head: heads['sequence-classification'], labels }
  const shape = outline(subject)
  const formats = { model, outline: shape }
  const logits = async (method: Method, state: Parameters<typeof openForward>[2]): Promise<number[]> => {
    const forward = await openForward(subject, method, state, { batchSize: 4 })
    const answers = await forward.logits(rows, state)
    await forward.close()
    return answers.flatMap((row) => [...row])
  }

  for (const { title, given } of cases) {
    test(`${title} on ${modelType} learns, is counted, saved, loaded and merged`, async () => {
      const options = methodOptions.parse(given)
      const method = methodFor(subject, shape, options, steps)
      const state = initialState(subject, shape, method, 1)
      const counts = weightCounts(subject, shape, method)
      const constants = shape.sites.flatMap((site) => Object.values(method.parameters(site)).filter(({ frozen }) => frozen))
      const size = (of: readonly { readonly shape: readonly number[] }[]): number =>
        of.reduce((sum, tensor) => sum + tensor.shape.reduce((n, dim) => n * dim, 1), 0)
      assert.equal(size([...state.values()]) - size(constants), counts.trained + counts.head)

      const step = await openStep(subject, state, stepOptions(method))
      const losses: number[] = []
      for (let at = 0; at < 12; at++) losses.push((await step.run([rows], { seed: 1, step: at }, 2e-2)).taskLoss)
      await step.close()
      assert.ok(Math.min(...losses.slice(-4)) < losses[0]!, losses.join(' '))

      const parameters = new Map([...state].filter(([key]) => !key.includes('@')))
      const left = deployed(method, parameters)
      const folder = join(temporaryFolder(), 'adapter')
      const card = { labels: null, outputs: labels, baseModel: null, adapterName: null, totalSteps: steps }
      const plain = options.name === 'adamix' ? methodOptions.parse({ name: 'bottleneck', variant: 'ffn-output' }) : options
      saveAdapter(folder, { options: plain, memory: null, state: left.state, card: { ...card, task: 'sequence-classification' } }, formats)
      const loaded = loadAdapter(folder, formats)
      assertSameBits(loaded.state, left.state)
      const before = await logits(left.method, left.state)
      assert.deepEqual(await logits(methodFor(subject, shape, loaded.options, null, loaded.memory), loaded.state), before)

      if (!foldOf(left.method)) return
      const merged = mergeState(model, left.method, left.state, shape.sites)
      assertNear(
        await logits(
          inPlace('merged', () => false),
          merged,
        ),
        before,
        1e-4,
      )
    })
  }
}
