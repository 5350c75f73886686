import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outline } from '../../src/evaluate/assembly.ts'
import { initialState } from '../../src/evaluate/state.ts'
import { methodFor } from '../../src/evaluate/weight-counts.ts'
import { methodOptions } from '../../src/methods/index.ts'
import { liveNodes } from '../../src/onnx/live.ts'
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
    const nodes = liveNodes(buildStepGraph(subject, state, stepOptions(method)).assembly.network.graph)
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
