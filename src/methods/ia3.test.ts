import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNear, disturb, prepare, rows, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { alone, assertGradients, assertLossFalls, logitsOf, startOf } from '../../test/contracts/trial.ts'
import { UserError } from '../errors.ts'
import type { Method } from '../nn/method.ts'
import { readTensor } from '../weights/safetensors.ts'
import { ia3 } from './ia3.ts'

const subject = tinySubject()
const { method } = prepare(subject, ia3)

test('IA3 starts as the frozen model, learns, and has the right gradients', async () => {
  const state = startOf(subject, method)
  assert.deepEqual(await logitsOf(subject, method, state, rows), await logitsOf(subject, alone, startOf(subject, alone), rows))
  await assertLossFalls(subject, method, state, rows)
  disturb(state, /\.l\.weight$/, 1)
  await assertGradients(subject, method, state, rows, { pattern: /\.l\.weight$/ })
})

test('IA3 is the model whose weights are scaled: rows and biases of keys and values, columns of the down projection', async () => {
  const state = startOf(subject, method)
  disturb(state, /\.l\.weight$/, 1)
  const scaled: Method = { ...alone, trains: ({ name }) => /(key|value|\d\.output\.dense)\.(weight|bias)$/.test(name) }
  const merged = startOf(subject, scaled)
  for (const [name, { shape, data }] of merged) {
    const l = state.get(name.replace(/\.(weight|bias)$/, '.l.weight'))?.data
    if (!l || (name.endsWith('output.dense.bias') && shape.length === 1)) continue
    const [columns, down] = [shape[1] ?? 1, name.includes('output.dense')]
    data.forEach((value, i) => {
      data[i] = value * l[down ? i % columns : Math.floor(i / columns)]!
    })
  }
  assert.ok(readTensor(subject.model.find('bert.encoder.layer.0.attention.self.key.bias')!).some((value) => value !== 0))
  const [given, expected] = [await logitsOf(subject, method, state, rows), await logitsOf(subject, scaled, merged, rows)]
  given.forEach((logits, i) => {
    assertNear(logits, expected[i]!, 1e-5)
  })
})

test('what is scaled is said by the targets: outputs, or inputs where they are feed-forward', () => {
  const shapes = (options: object): Record<string, readonly number[]> => {
    const { method: made, shape } = prepare(subject, ia3, { layers: [1], ...options })
    const all = shape.sites.flatMap((site) => Object.values(made.parameters(site)).map((spec) => [site.name, spec.shape] as const))
    return Object.fromEntries(all.map(([name, spec]) => [name.replace('bert.encoder.layer.1.', ''), spec]))
  }
  const attention = { 'attention.self.key': [16, 1], 'attention.self.value': [16, 1] }
  assert.deepEqual(shapes({}), { ...attention, 'output.dense': [1, 32] })
  assert.deepEqual(shapes({ targets: ['output.dense'], feedForward: ['down'] }), {
    'attention.output.dense': [16, 1],
    'output.dense': [1, 32],
  })
  assert.deepEqual(shapes({ targets: ['output.dense'], feedForward: 'output.dense' }), {
    'attention.output.dense': [1, 16],
    'output.dense': [1, 32],
  })
  assert.deepEqual(shapes({ targets: ['down'], feedForward: [] }), { 'output.dense': [16, 1] })
})

test('a feed-forward target that the model lacks is refused by name', () => {
  const wrong = () => prepare(subject, ia3, { feedForward: ['dwn'] })
  assert.throws(wrong, (error) => error instanceof UserError && /"dwn" matches no linear module.*down/s.test(error.message))
})
