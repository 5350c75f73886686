import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Example } from '../../src/data/examples.ts'
import { teacherForced } from '../../src/data/teacher-forced.ts'
import { outline, type Subject } from '../../src/evaluate/assembly.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import { initialState } from '../../src/evaluate/state.ts'
import { weightCounts } from '../../src/evaluate/weight-counts.ts'
import { loadAdapter, mergeState, saveAdapter } from '../../src/formats/index.ts'
import { everywhere } from '../../src/heads/head.ts'
import { heads, type TaskName } from '../../src/heads/index.ts'
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
const classified = typedRows.map((row) => ({ ...row, types: new Int32Array(row.types.length) }))
/** Each token is asked for the next one. */
const continued = classified.map((row) => ({ ...row, label: [...row.ids] }))
/** A text that answers each row. */
const answered = classified.map((row) => {
  const label = [...row.ids].reverse().slice(0, 4)
  return { ...row, label, decoder: teacherForced(label, { start: 2, padding: 1 }) }
})

/** The rows two by two, as the choices of a question each. */
const chosen = classified.flatMap((row, i) => (i % 2 === 0 ? [{ ...row, label: 1, others: [classified[i + 1]!] }] : []))

const noHead = /no weights of its own/
/** Word embeddings that meet no norm before the first layer. */
const noWhole = { 'prompt behind the norm': /place/ }
const noBias = { bitfit: /trains biases/ }
const models: readonly {
  readonly golden: string
  readonly task: TaskName
  readonly rows: readonly Example[]
  /** Cases that the model has no place for, and what is said of them. */
  readonly refused?: Readonly<Record<string, RegExp>>
}[] = [
  ...['roberta', 'distilbert', 'electra', 'deberta-v2', 'mpnet', 'albert', 'gpt2'].map((modelType) => ({
    golden: `${modelType}-cls-lora`,
    task: 'sequence-classification' as const,
    rows: classified,
  })),
  { golden: 'modernbert-cls-lora', task: 'sequence-classification', rows: classified, refused: noBias },
  { golden: 'bert-reg-lora', task: 'multiple-choice', rows: chosen },
  { golden: 'gpt2-clm-lora', task: 'causal-lm', rows: continued, refused: { head: noHead } },
  { golden: 'llama-clm-full', task: 'causal-lm', rows: continued, refused: { head: noHead, ...noBias, ...noWhole } },
  { golden: 'qwen2-clm-adalora', task: 'causal-lm', rows: continued, refused: { head: noHead, ...noWhole } },
  { golden: 'qwen3-clm-full', task: 'causal-lm', rows: continued, refused: { head: noHead, ...noBias, ...noWhole } },
  { golden: 'gemma2-cls-lora', task: 'sequence-classification', rows: classified, refused: { ...noBias, ...noWhole } },
  {
    golden: 't5-s2s-lora',
    task: 'seq2seq-lm',
    rows: answered,
    refused: { head: noHead, ...noBias },
  },
  { golden: 'bart-s2s-lora', task: 'seq2seq-lm', rows: answered, refused: { head: noHead } },
]

for (const { golden, task, rows, refused = {} } of models) {
  const model = openModel(join(import.meta.dirname, `../golden/${golden}/base`), (checkpoint) => checkpoint)
  const subject: Subject = { model, head: heads[task], labels: task === 'sequence-classification' ? labels : 0 }
  const shape = outline(subject)
  const modelType = `${model.modelType} for ${task}`
  const formats = { model, outline: shape }
  const logits = async (method: Method, state: Parameters<typeof openForward>[2]): Promise<number[]> => {
    const forward = await openForward({ ...subject, head: everywhere(subject.head) }, method, state, { batchSize: 4 })
    const answers = await forward.logits(rows, state)
    await forward.close()
    return answers.flatMap((row) => [...row])
  }

  for (const { title, given } of cases) {
    test(`${title} on ${modelType} learns, is counted, saved, loaded and merged`, async () => {
      const options = methodOptions.parse(given)
      if (refused[title]) {
        assert.throws(() => methodFor(subject, shape, options, steps), refused[title])
        return
      }
      const method = methodFor(subject, shape, options, steps)
      const state = initialState(subject, shape, method, 1)
      const counts = weightCounts(shape, method)
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
      const card = { labels: null, outputs: subject.labels || null, baseModel: null, adapterName: null, totalSteps: steps }
      const plain = options.name === 'adamix' ? methodOptions.parse({ name: 'bottleneck', variant: 'ffn-output' }) : options
      saveAdapter(folder, { options: plain, memory: null, state: left.state, card: { ...card, task } }, formats)
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
