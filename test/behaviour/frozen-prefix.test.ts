import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outline, type Subject } from '../../src/evaluate/assembly.ts'
import { methodFor } from '../../src/evaluate/method-for.ts'
import { initialState } from '../../src/evaluate/state.ts'
import { methodOptions } from '../../src/methods/index.ts'
import { liveNodes } from '../../src/onnx/live.ts'
import { splitStep } from '../../src/train/prefix/kept-places.ts'
import { buildStepGraph } from '../../src/train/step-graph.ts'
import { bareSubject, bertSizes, stepOptions } from './tiny-model.ts'

test('the backward pass ends at the lowest trained site: weights below are read by the forward pass alone', () => {
  const subject = bareSubject({ ...bertSizes, num_hidden_layers: 4 })
  const readers = (layers: unknown): ((name: string) => number) => {
    const method = methodFor(
      subject,
      outline(subject),
      methodOptions.parse({ name: 'lora', r: 2, targets: ['query', 'value'], layers }),
      20,
    )
    const state = initialState(subject, outline(subject), method, 1)
    const nodes = liveNodes(buildStepGraph(subject, state, stepOptions(method)).engine)
    const reads = (name: string): number =>
      nodes.filter(({ inputs }) => inputs.some((value) => value?.source.kind === 'external' && value.source.name === name)).length
    return (name) => reads(`bert.encoder.layer.${name}.weight`)
  }
  const [last, all] = [readers('last 1'), readers(null)]
  for (const layer of [0, 1, 2]) {
    for (const dense of ['attention.self.query', 'attention.self.value', 'attention.output.dense', 'intermediate.dense', 'output.dense'])
      assert.equal(last(`${layer}.${dense}`), 1, `layer ${layer} ${dense}`)
  }
  assert.deepEqual([last('3.output.dense'), last('3.attention.output.dense'), last('3.attention.self.query')], [2, 2, 1])
  assert.deepEqual([all('0.output.dense'), all('1.attention.self.query'), all('0.attention.self.query')], [2, 2, 1])
})

/** What is kept of a step, in which the model drops nothing unless `modelDropout` says so. */
function split(subject: Subject, options: object, modelDropout = 0) {
  const method = methodFor(subject, outline(subject), methodOptions.parse(options), 20)
  const state = initialState(subject, outline(subject), method, 1)
  const { engine } = buildStepGraph(subject, state, stepOptions(method, { modelDropout }))
  const found = splitStep(engine, method)
  const layersIn = (graph: typeof engine): number => liveNodes(graph).filter(({ op }) => op === 'Softmax').length
  return found && { kept: found.kept.map(({ per, width }) => `${width} ${per}`), layers: [found.prefix, found.rest].map(layersIn) }
}
const lora = (layers: unknown) => ({ name: 'lora', r: 2, layers })

test('a step is cut where the least is kept of a row, above all layers that nothing trains', () => {
  const bert = bareSubject({ ...bertSizes, num_hidden_layers: 4 })
  assert.deepEqual(split(bert, lora('last 1')), { kept: ['16 tokens'], layers: [3, 1] })
  assert.deepEqual(split(bert, lora([1, 3])), { kept: ['16 tokens'], layers: [1, 3] })
  assert.deepEqual(split(bert, { name: 'head' }), { kept: ['16 rows'], layers: [4, 0] })
  assert.deepEqual(split(bert, { name: 'adamix', of: lora('last 2'), consistency: 0 }), {
    kept: ['16 tokens'],
    layers: [2, 2],
  })
  assert.deepEqual(split(bareSubject({ ...bertSizes, num_hidden_layers: 4 }, 'token-classification'), { name: 'head' }), {
    kept: ['16 tokens'],
    layers: [4, 0],
  })
})

test('embeddings that are narrower than the layers are no place for the cut', () => {
  const electra = bareSubject({ ...bertSizes, model_type: 'electra', embedding_size: 2, num_hidden_layers: 3 })
  assert.deepEqual(split(electra, lora('last 1')), { kept: ['16 tokens'], layers: [2, 1] })
})

test('beside a decoder both texts are kept', () => {
  const sizes = { vocab_size: 50, d_model: 16, d_kv: 8, num_heads: 2, d_ff: 32, num_layers: 2, num_decoder_layers: 3 }
  const t5 = bareSubject({ model_type: 't5', ...sizes, decoder_start_token_id: 0, pad_token_id: 0 }, 'seq2seq-lm')
  assert.deepEqual(split(t5, lora('last 1'))?.kept, ['16 tokens', '16 decoderTokens'])
})

test('where training or chance begins below all layers, nothing is kept', () => {
  const bert = bareSubject({ ...bertSizes, num_hidden_layers: 4 })
  assert.equal(split(bert, lora(null)), null)
  assert.equal(split(bert, lora('last 1'), 0.1), null)
  assert.equal(split(bert, { name: 'prefix', tokens: 2 }), null)
})
