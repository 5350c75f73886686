import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Example } from '../../src/data/examples.ts'
import { outline, type Subject } from '../../src/evaluate/assembly.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import { initialState } from '../../src/evaluate/state.ts'
import { evenSizes } from '../../src/evaluate/stream-feeds.ts'
import { heads, type TaskName } from '../../src/heads/index.ts'
import { methodOptions } from '../../src/methods/index.ts'
import { peakBytes } from '../../src/onnx/order.ts'
import { openStep } from '../../src/train/step.ts'
import { buildStepGraph } from '../../src/train/step-graph.ts'
import { answered, continued, goldenModel, plain } from './golden-bases.ts'
import { assertNear, bareSubject, copyOf, stepOptions, tinySubject } from './tiny-model.ts'

const hidden = plain.map((row) => ({ ...row, label: [...row.ids].map((id, i) => (i % 3 === 1 ? id : -100)) }))
const cases: readonly {
  readonly title: string
  readonly task: TaskName
  readonly make: () => Subject['model']
  readonly examples: readonly Example[]
  readonly method: object
}[] = [
  {
    title: 'GPT-2 with LoRA',
    task: 'causal-lm',
    make: () => goldenModel('gpt2-clm-lora'),
    examples: continued,
    method: { name: 'lora', r: 2 },
  },
  {
    title: 'GPT-2 with a mixture and its consistency',
    task: 'causal-lm',
    make: () => goldenModel('gpt2-clm-lora'),
    examples: continued,
    method: { name: 'adamix', of: { name: 'lora', r: 2 } },
  },
  {
    title: 'Llama, all of it trained',
    task: 'causal-lm',
    make: () => goldenModel('llama-clm-full'),
    examples: continued,
    method: { name: 'full' },
  },
  { title: 'T5 with LoRA', task: 'seq2seq-lm', make: () => goldenModel('t5-s2s-lora'), examples: answered, method: { name: 'lora', r: 2 } },
  {
    title: 'BERT with a masked-LM head that is trained',
    task: 'masked-lm',
    make: () => tinySubject({}, 'masked-lm').model,
    examples: hidden,
    method: { name: 'lora', r: 2 },
  },
]

for (const { title, task, make, examples, method: given } of cases) {
  test(`${title}: logits made in parts change neither the loss nor the updates`, async () => {
    const subject: Subject = { model: make(), head: heads[task], labels: 0 }
    const shape = outline(subject)
    const method = methodFor(subject, shape, methodOptions.parse(given), 20)
    const initial = initialState(subject, shape, method, 1)
    const trained = async (parts: number, batch: readonly Example[]) => {
      const state = copyOf(initial)
      const plainOptions = stepOptions(method, { maxGradNorm: 1 })
      const step = await openStep(subject, state, { ...plainOptions, objective: { ...plainOptions.objective, labelSmoothing: 0.1, parts } })
      const losses: number[] = []
      for (const at of [0, 1]) losses.push((await step.run([batch], { seed: 3, step: at }, 0.01)).loss)
      await step.close()
      return { losses, state }
    }
    // The second has fewer places than parts.
    for (const batch of [examples, examples.slice(2, 3)]) {
      const whole = await trained(1, batch)
      const parted = await trained(4, batch)
      assertNear(parted.losses, whole.losses, 2e-6)
      for (const [name, { data }] of whole.state) assertNear(parted.state.get(name)!.data, data, 1e-5)
    }
  })
}

test('with logits in parts, those of one part fill the memory, whether the table of words is trained or not', () => {
  const config = { model_type: 'gpt2', vocab_size: 5000, n_embd: 16, n_layer: 1, n_head: 2, n_positions: 64 }
  const subject = bareSubject(config, 'causal-lm')
  for (const name of ['lora', 'full'] as const) {
    const method = methodFor(subject, outline(subject), methodOptions.parse({ name }), 20)
    const state = initialState(subject, outline(subject), method, 1)
    const peak = (parts: number): number => {
      const plainOptions = stepOptions(method)
      const step = buildStepGraph(subject, state, { ...plainOptions, objective: { ...plainOptions.objective, parts } })
      return peakBytes(step.engine, evenSizes(8, 64))
    }
    const logits = 4 * 8 * 64 * 5000
    assert.ok(peak(1) > 4 * logits, `${peak(1) / logits} times the logits`)
    assert.ok(peak(16) < 0.6 * logits, `${peak(16) / logits} of the logits for ${name}`)
  }
})
