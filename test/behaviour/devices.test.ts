import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Subject } from '../../src/evaluate/assembly.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import type { State } from '../../src/evaluate/state.ts'
import { openWriter } from '../../src/generate/writer.ts'
import { inFormsOf } from '../../src/lowering/device-forms.ts'
import { adamix } from '../../src/methods/adamix.ts'
import { bitfit } from '../../src/methods/bitfit.ts'
import { inPlace } from '../../src/methods/in-place.ts'
import { lora } from '../../src/methods/lora.ts'
import type { Device } from '../../src/onnx/devices.ts'
import { openSession } from '../../src/runtime/node.ts'
import { openDevice } from '../../src/runtime/open-device.ts'
import { openStep } from '../../src/train/step.ts'
import { buildStepGraph } from '../../src/train/step-graph.ts'
import { stepFeeds } from './step-feeds.ts'
import { assertNear, bertSizes, copyOf, disturb, prepare, rows, stepOptions, temporaryFolder, tinySubject } from './tiny-model.ts'

const why = (device: Device): Promise<false | string> =>
  openDevice(device).then(
    () => false,
    (error: Error) => error.message,
  )

/** The subject's graphs in the forms of a device, run there or on the processor. */
const on = (subject: Subject, forms: Device, device: Device = forms): Subject => ({
  ...subject,
  model: { ...subject.model, device, lowered: (graph) => inFormsOf(forms, graph) },
})

const dropouts = { hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1 }
const none = inPlace('none', () => false)

/** Losses of a few updates, and the parameters after them. */
async function course(
  subject: Subject,
  state: State,
  options: ReturnType<typeof stepOptions>,
): Promise<{ losses: number[]; state: State }> {
  const step = await openStep(subject, state, { ...options, accumulate: 2 })
  const losses: number[] = []
  for (let at = 0; at < 3; at++) losses.push((await step.run([rows.slice(0, 3), rows.slice(3)], { seed: 1, step: at }, 0.01)).loss)
  await step.close()
  return { losses, state }
}

for (const device of ['webgpu', 'cuda'] as const) {
  const skip = await why(device)

  for (const [definition, options] of [
    [lora, { r: 3, targets: 'all-linear' }],
    [adamix, { of: { name: 'lora', r: 3 } }],
    [bitfit, {}],
  ] as const) {
    test(`${definition.name} takes on ${device} the course that it takes on the processor`, { skip }, async () => {
      const subject = tinySubject(dropouts)
      const { method, state } = prepare(subject, definition, options)
      disturb(state, /lora_B/)
      const exact = await course(subject, copyOf(state), stepOptions(method))
      const found = await course(on(subject, device), copyOf(state), stepOptions(method))
      assertNear(found.losses, exact.losses, 1e-4)
      assert.notDeepEqual(found.losses[2], found.losses[0])
      // The gradient of a key's bias is rounding alone, and Adam makes as large an update of it as of any.
      for (const [name, { data }] of exact.state) if (!name.includes('key.bias')) assertNear(found.state.get(name)!.data, data, 2e-3, name)
    })
  }

  test(`a model with root mean square norms takes on ${device} the course that it takes on the processor`, { skip }, async () => {
    const subject = tinySubject({
      ...{ model_type: 'llama', num_key_value_heads: 1, rms_norm_eps: 1e-5, rope_theta: 10000, pad_token_id: 0 },
      ...{ hidden_act: 'silu', tie_word_embeddings: false, attention_bias: false, mlp_bias: false },
    })
    const { method, state } = prepare(subject, lora, { r: 3 })
    disturb(state, /lora_B/)
    const exact = await course(subject, copyOf(state), stepOptions(method))
    const found = await course(on(subject, device), copyOf(state), stepOptions(method))
    assertNear(found.losses, exact.losses, 1e-3)
    for (const [name, { data }] of exact.state) assertNear(found.state.get(name)!.data, data, 5e-3, name)
  })

  test(`answers and written texts on ${device} are those of the processor`, { skip }, async () => {
    const subject = tinySubject()
    const logits = async (given: Subject): Promise<number[]> => {
      const forward = await openForward(given, none, new Map(), { batchSize: 4 })
      const found = await forward.logits(rows, new Map())
      await forward.close()
      return found.flatMap((row) => [...row])
    }
    assertNear(await logits(on(subject, device)), await logits(subject), 1e-4)
    const decoder = tinySubject(
      { model_type: 'gpt2', vocab_size: bertSizes.vocab_size, n_positions: 24, n_embd: 16, n_layer: 2, n_head: 2 },
      'causal-lm',
    )
    const written = async (given: Subject): Promise<number[]> => {
      const writer = await openWriter(given, none, new Map())
      const begun = await writer.begin(rows.slice(0, 2))
      const next = await (await begun.advance([0, 1], [3, 4])).advance([1, 1], [5, 6])
      await writer.close()
      return [...next.logits]
    }
    assertNear(await written(on(decoder, device)), await written(decoder), 1e-4)
  })
}

test('on webgpu the processor is left with what tells shapes and tokens', { skip: await why('webgpu') }, async () => {
  const { subject, method, state } = prepare(tinySubject(dropouts), lora, { r: 3, targets: 'all-linear' })
  const options = stepOptions(method)
  const graph = buildStepGraph(subject, state, options)
  const folder = temporaryFolder()
  const session = await openSession(inFormsOf('webgpu', graph.engine), { device: 'webgpu', profile: join(folder, 'profile') })
  await session.run(stepFeeds(subject, graph, options, state, rows))
  await session.close()
  interface Event {
    readonly name: string
    readonly args: {
      readonly provider?: string
      readonly op_name: string
      readonly output_type_shape?: readonly Record<string, number[]>[]
    }
  }
  const events = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]!), 'utf8')) as Event[]
  const many = ({ args }: Event): boolean =>
    (args.output_type_shape ?? []).some(({ float }) => float !== undefined && float.reduce((n, size) => n * size, 1) > 1)
  const kernels = events.filter(({ name }) => name.endsWith('_kernel_time'))
  assert.ok(kernels.length > 100)
  const host = kernels.filter((event) => event.args.provider === 'CPUExecutionProvider' && many(event))
  assert.deepEqual(
    host.map(({ args }) => args.op_name),
    [],
  )
})

test("a step in a device's forms takes the same course on the processor", async () => {
  const subject = tinySubject(dropouts)
  const { method, state } = prepare(subject, lora, { r: 3, targets: 'all-linear' })
  const exact = await course(subject, copyOf(state), stepOptions(method))
  const found = await course(on(subject, 'webgpu', 'cpu'), copyOf(state), stepOptions(method))
  assertNear(found.losses, exact.losses, 1e-5)
  for (const [name, { data }] of exact.state) assertNear(found.state.get(name)!.data, data, 1e-4, name)
})
