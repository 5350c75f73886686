import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Example } from '../../src/data/examples.ts'
import { outline, type Subject } from '../../src/evaluate/assembly.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import { initialState } from '../../src/evaluate/state.ts'
import { evenSizes } from '../../src/evaluate/stream-feeds.ts'
import { type MethodOptions, methodOptions } from '../../src/methods/index.ts'
import { liveNodes } from '../../src/onnx/live.ts'
import { peakBytes } from '../../src/onnx/order.ts'
import { buildLossGraph } from '../../src/train/loss-graph.ts'
import { openStep } from '../../src/train/step.ts'
import { buildStepGraph } from '../../src/train/step-graph.ts'
import { goldenBases, goldenSubject, plain } from './golden-bases.ts'
import { assertNear, bareSubject, copyOf, disturb, stepOptions } from './tiny-model.ts'

const dropping = 0.2

interface Given {
  readonly subject: Subject
  readonly options: MethodOptions
  readonly examples: readonly Example[]
  readonly recompute: number | null
}

/** Losses, and the state after two updates with dropout. */
async function trained({ subject, options, examples, recompute }: Given) {
  const shape = outline(subject)
  const method = methodFor(subject, shape, options, 20)
  const state = copyOf(initialState(subject, shape, method, 1))
  disturb(state, /lora_(B|E)|up\.weight|ia3|prefix/)
  const step = await openStep(subject, state, stepOptions(method, { modelDropout: dropping, recompute, maxGradNorm: 1 }))
  const losses: number[] = []
  for (const at of [0, 1]) losses.push((await step.run([examples.slice(0, 3)], { seed: 3, step: at }, 0.01)).loss)
  await step.close()
  return { losses, state }
}

/** A graph as `build` makes it for these settings. */
function built<T>(build: (...of: Parameters<typeof buildStepGraph>) => T, { subject, options, recompute }: Omit<Given, 'examples'>): T {
  const shape = outline(subject)
  const method = methodFor(subject, shape, options, 20)
  const state = initialState(subject, shape, method, 1)
  return build(subject, state, stepOptions(method, { modelDropout: dropping, recompute }))
}

for (const { golden, task, examples, stacks } of goldenBases(plain)) {
  test(`${golden}: layers are found, and made again they change neither the losses nor the updates`, async () => {
    const subject = goldenSubject({ golden, task })
    const { model } = subject
    const given = { subject, options: methodOptions.parse({ name: 'lora', r: 2, dropout: dropping }), examples }
    const { layers } = built(buildLossGraph, { ...given, recompute: null })
    const applied = (model.config.num_hidden_layers ?? model.config.n_layer ?? model.config.n_layers ?? model.wiring.layers) as number
    assert.equal(layers.length, stacks * applied)
    const [kept, remade] = [await trained({ ...given, recompute: null }), await trained({ ...given, recompute: 1 })]
    assertNear(remade.losses, kept.losses, 1e-6)
    for (const [name, { data }] of kept.state) assertNear(remade.state.get(name)!.data, data, 2e-6)
  })
}

test('what every method makes in a layer is made again as it was', async () => {
  const subject = goldenSubject({ golden: 'bert-cls-lora', task: 'sequence-classification' })
  for (const method of [
    { name: 'adalora', initR: 3, targetR: 2, tInit: 1, tFinal: 1 },
    { name: 'adamix', of: { name: 'bottleneck', size: 4 } },
    { name: 'adamix', of: { name: 'lora', r: 2 }, routing: { name: 'top-k' } },
    { name: 'lora', r: 2, dora: true },
    { name: 'prefix', tokens: 2 },
    { name: 'bottleneck', variant: 'houlsby', size: 4 },
    { name: 'bitfit' },
    { name: 'full' },
  ]) {
    const given = { subject, options: methodOptions.parse(method), examples: plain }
    const [kept, remade] = [await trained({ ...given, recompute: null }), await trained({ ...given, recompute: 1 })]
    assertNear(remade.losses, kept.losses, 1e-6)
    for (const [name, { data }] of kept.state) assertNear(remade.state.get(name)!.data, data, 1e-5)
  }
})

test('with layers made again, what is kept grows with their number by what enters them alone', () => {
  const peak = (layers: number, recompute: number | null): number => {
    const config = { model_type: 'bert', vocab_size: 64, hidden_size: 64, num_hidden_layers: layers, num_attention_heads: 4 }
    const subject = bareSubject({ ...config, intermediate_size: 256, max_position_embeddings: 64 })
    const options = methodOptions.parse({ name: 'lora', r: 2, targets: 'all-linear' })
    return peakBytes(built(buildStepGraph, { subject, options, recompute }).engine, evenSizes(8, 64))
  }
  const [tokens, hidden] = [8 * 64, 64]
  const entering = 4 * tokens * hidden
  const grown = (recompute: number | null): number => (peak(10, recompute) - peak(6, recompute)) / 4 / entering
  assert.ok(grown(1) < 1.3, `a layer keeps ${grown(1)} times its input`)
  assert.ok(grown(null) > 12, `without, ${grown(null)} times`)
  assert.ok(grown(2) < 0.8, `two together keep ${grown(2)} times for each`)
})

test('only the layers before the last ones are made again, and nothing where none is trained below', () => {
  const subject = bareSubject({
    ...{ model_type: 'bert', vocab_size: 64, hidden_size: 16, num_hidden_layers: 4, num_attention_heads: 2 },
    ...{ intermediate_size: 32, max_position_embeddings: 32 },
  })
  const graphs = (layers: object) =>
    [null, 1, 4].map((recompute) => {
      const options = methodOptions.parse({ name: 'lora', r: 2, targets: 'all-linear', ...layers })
      return liveNodes(built(buildStepGraph, { subject, options, recompute }).engine).filter(({ op }) => op === 'Softmax').length
    })
  assert.deepEqual(graphs({}), [4, 7, 4])
  assert.deepEqual(graphs({ layers: [3] }), [4, 4, 4])
  assert.deepEqual(graphs({ layers: [2, 3] }), [4, 5, 4])
})
