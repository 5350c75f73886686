import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backward } from '../../src/autodiff/backward.ts'
import { assemble, withoutWeights } from '../../src/evaluate/assembly.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { constant, createGraph, output } from '../../src/graph/graph.ts'
import { reduceSum } from '../../src/graph/ops/reduction.ts'
import { bottleneck } from '../../src/methods/bottleneck.ts'
import { full } from '../../src/methods/full.ts'
import { inPlace } from '../../src/methods/in-place.ts'
import { lora } from '../../src/methods/lora.ts'
import { createNetwork } from '../../src/nn/network.ts'
import { liveNodes } from '../../src/onnx/live.ts'
import { openSession } from '../../src/runtime/node.ts'
import { dropoutFeeds } from '../../src/train/dropout-feeds.ts'
import { firstMoment } from '../../src/train/state-update.ts'
import { openStep } from '../../src/train/step.ts'
import { buildStepGraph } from '../../src/train/step-graph.ts'
import { stepFeeds } from './step-feeds.ts'
import { assertSameBits, bareSubject, copyOf, disturb, prepare, rows, stepOptions, tinySubject } from './tiny-model.ts'

const dropping = { hidden_dropout_prob: 0.2, attention_probs_dropout_prob: 0.3 }

test('what is kept is scaled by 1 / (1 - p), the rest is zero, and the gradient has the mask of the forward pass', async () => {
  const graph = createGraph()
  const { method } = prepare(tinySubject(), full)
  const { network, masks } = createNetwork({ graph, method, training: true, locate: () => null, trains: () => false })
  const x = constant(
    graph,
    Float32Array.from({ length: 600 }, (_, i) => i + 1),
    [600],
    'float32',
  )
  const [one, two] = [network.dropout(x, 0.25), network.dropout(x, 0.25)]
  output(graph, 'one', one)
  output(graph, 'two', two)
  output(graph, 'slope', backward(reduceSum(one), [x])[0]!)
  const session = await openSession(graph)
  // The constructed network declares a stream, which nothing here reads.
  const ints = (shape: number[]) => ({ data: new Int32Array(shape.reduce((n, dim) => n * dim, 1)), shape })
  const floats = { data: new Float32Array(1), shape: [1, 1] }
  const stream = {
    ids: ints([1]),
    types: ints([1]),
    positions: ints([1]),
    rowStart: ints([1]),
    rowEnd: ints([1]),
    columns: ints([1]),
    unpack: ints([1, 1]),
    repack: ints([1]),
    keyMask: floats,
    slotMask: floats,
  }
  const results = await session.run({ ...stream, ...dropoutFeeds(masks, {}, { seed: 1, step: 0, microBatch: 0 }) })
  await session.close()
  const [first, second, slope] = ['one', 'two', 'slope'].map((name) => Array.from(results[name]!.data)) as [number[], number[], number[]]
  first.forEach((value, i) => {
    assert.ok(value === 0 || Math.abs(value / (i + 1) - 4 / 3) < 1e-6)
    assert.ok(Math.abs(slope[i]! - value / (i + 1)) < 1e-6)
  })
  assert.ok(first.filter((value) => value === 0).length > 100)
  assert.notDeepEqual(first, second)
})

test('the gradients of a step with dropout agree with finite differences under the same masks', async () => {
  const subject = tinySubject(dropping)
  const { method, state } = prepare(subject, lora, { r: 2, dropout: 0.25, targets: ['query', 'down'] })
  disturb(state, /B\.weight$/)
  const options = stepOptions(method)
  const graph = buildStepGraph(subject, state, options)
  // Apart from its state, so that parameters stay where they are.
  graph.engine.aliases.clear()
  const session = await openSession(graph.engine)
  const loss = async (moment = { seed: 1, step: 0, microBatch: 0 }) => session.run(stepFeeds(subject, graph, options, state, rows, moment))
  const exact = await loss()
  const other = await loss({ seed: 2, step: 0, microBatch: 0 })
  assert.notEqual(exact.loss!.data[0], other.loss!.data[0])
  for (const name of [...state.keys()].filter((key) => /[AB]\.weight$/.test(key))) {
    const { data } = state.get(name)!
    const gradient = Array.from(exact[`${firstMoment(name)}=`]!.data, (value) => value / (1 - 0.9))
    const at = gradient.reduce((best, value, i) => (Math.abs(value) > Math.abs(gradient[best]!) ? i : best), 0)
    const held = data[at]!
    data[at] = held + 0.02
    const above = (await loss()).loss!.data[0]!
    data[at] = held - 0.02
    const below = (await loss()).loss!.data[0]!
    data[at] = held
    const numeric = (above - below) / 0.04
    assert.ok(Math.abs(gradient[at]!) > 1e-3)
    assert.ok(Math.abs(numeric - gradient[at]!) < 0.02 * Math.abs(numeric) + 1e-4, `${name}: ${gradient[at]}, by differences ${numeric}`)
  }
  await session.close()
})

test('a step with dropout depends on seed and step, and on nothing else', async () => {
  const subject = tinySubject(dropping)
  const run = async (seed: number, at: number) => {
    const { method, state } = prepare(subject, bottleneck)
    const step = await openStep(subject, state, stepOptions(method))
    await step.run([rows], { seed, step: at }, 0.01)
    await step.close()
    return state
  }
  const [one, same, seed, later] = [await run(1, 0), await run(1, 0), await run(2, 0), await run(1, 1)]
  assertSameBits(one, same)
  for (const other of [seed, later]) assert.throws(() => assertSameBits(one, other))
})

test('micro-batches of the same rows have masks of their own', async () => {
  const subject = tinySubject(dropping)
  const run = async (batches: number) => {
    const { method, state } = prepare(subject, full)
    const step = await openStep(subject, state, stepOptions(method, { accumulate: batches }))
    const { loss } = await step.run(
      Array.from({ length: batches }, () => rows),
      { seed: 1, step: 0 },
      0,
    )
    await step.close()
    return loss
  }
  assert.ok(Math.abs((await run(1)) - (await run(2))) > 1e-4)
})

test('every dropout of the model has a mask of its own', () => {
  const subject = tinySubject(dropping)
  const { method } = prepare(subject, lora, { dropout: 0.1, targets: ['query', 'value'] })
  const { masks, network } = assemble(subject, { method, training: true, trains: () => false })
  // The embeddings, three in each layer, the head, and one for each LoRA module.
  assert.equal(masks.length, 1 + 2 * 3 + 1 + 4)
  const starts = network.graph.nodes.filter(({ op, inputs }) => op === 'Slice' && inputs[0]!.name === 'dropout.start')
  assert.equal(new Set(starts.map(({ inputs }) => inputs[1]!.name)).size, masks.length)
})

test('without dropout, and outside of training, the graph has none of its nodes', () => {
  const graphOf = (fields: Record<string, unknown>, training: boolean, modelDropout: number | null = null) => {
    const subject = tinySubject(fields)
    const { method } = prepare(subject, lora, { dropout: training ? 0 : 0.5 })
    const { masks, network, logits } = assemble(subject, { method, training, modelDropout, trains: () => false })
    assert.equal(masks.length === 0, ![...network.graph.inputs.keys()].some((name) => name.startsWith('dropout')))
    output(network.graph, 'logits', logits)
    return liveNodes(network.graph).filter(({ op }) => op === 'DequantizeLinear').length
  }
  assert.equal(graphOf({}, true), 0)
  assert.equal(graphOf(dropping, false), 0)
  assert.equal(graphOf(dropping, true, 0), 0)
  assert.equal(graphOf(dropping, true), 8)
  assert.equal(graphOf({}, true, 0.3), 8)
})

test('a dropout that a run asks for goes where the model has one, and nowhere else', () => {
  const config = { model_type: 'distilbert', vocab_size: 50, dim: 16, n_layers: 2, n_heads: 2, hidden_dim: 32, max_position_embeddings: 24 }
  const subject = bareSubject({ ...config, dropout: 0, attention_dropout: 0, seq_classif_dropout: 0 })
  const method = inPlace('none', () => false)
  const { masks } = assemble(withoutWeights(subject), { method, training: true, modelDropout: 0.3, trains: () => false })
  // The embeddings', of each layer the attention's weights and the feed-forward block, and the head's.
  assert.equal(masks.length, 1 + 2 * 2 + 1)
})

test('evaluation is without dropout', async () => {
  const [dropped, plain] = [tinySubject(dropping), tinySubject()]
  const logits = await Promise.all(
    [dropped, plain].map(async (subject) => {
      const { method, state } = prepare(subject, lora, { dropout: 0.5 })
      const forward = await openForward(subject, method, copyOf(state), { batchSize: 6 })
      const result = await forward.logits(rows, state)
      await forward.close()
      return result
    }),
  )
  assert.deepEqual(logits[0], logits[1])
})
