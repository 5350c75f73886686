import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mul } from '../../src/graph/ops/elementwise.ts'
import type { Method, ParameterSpec } from '../../src/nn/method.ts'
import type { LinearSite, Site } from '../../src/nn/site.ts'
import { readTensor } from '../../src/weights/safetensors.ts'
import { assertNear, disturb, rows, tinySubject } from '../behaviour/tiny-model.ts'
import { alone, assertGradients, assertLossFalls, logitsOf, plain, startOf } from './trial.ts'

const scales = (site: Site): site is LinearSite => site.kind === 'linear' && ['key', 'value', 'down'].includes(site.role)

/** IA3 (Liu et al. 2022): `l ∘ (W x + b)` for keys and values, `W (l ∘ x) + b` for the down projection; l starts at one. */
const ia3: Method = {
  ...plain,
  name: 'ia3',
  parameters(site): Record<string, ParameterSpec> {
    if (!scales(site)) return {}
    const size = site.role === 'down' ? site.in : site.out
    return { l: { shape: [size], init: () => new Float32Array(size).fill(1) } }
  },
  linear: ({ role }, { l }, { base, input }) => (role === 'down' ? base(mul(input, l!)) : mul(base(input), l!)),
}

const subject = tinySubject()

test('IA3 starts as the frozen model, learns, and has the right gradients', async () => {
  const state = startOf(subject, ia3)
  assert.deepEqual(await logitsOf(subject, ia3, state, rows), await logitsOf(subject, alone, startOf(subject, alone), rows))
  await assertLossFalls(subject, ia3, state, rows)
  disturb(state, /\.l$/, 1)
  await assertGradients(subject, ia3, state, rows, { pattern: /\.l$/ })
})

test('IA3 is the model whose weights are scaled: rows and biases of keys and values, columns of the down projection', async () => {
  const state = startOf(subject, ia3)
  disturb(state, /\.l$/, 1)
  const scaled: Method = { ...alone, trains: ({ name }) => /(key|value|\d\.output\.dense)\.(weight|bias)$/.test(name) }
  const merged = startOf(subject, scaled)
  for (const [name, { shape, data }] of merged) {
    const l = state.get(name.replace(/\.(weight|bias)$/, '.l'))?.data
    if (!l || (name.endsWith('output.dense.bias') && shape.length === 1)) continue
    const [columns, down] = [shape[1] ?? 1, name.includes('output.dense')]
    data.forEach((value, i) => {
      data[i] = value * l[down ? i % columns : Math.floor(i / columns)]!
    })
  }
  assert.ok(readTensor(subject.model.find('bert.encoder.layer.0.attention.self.key.bias')!).some((value) => value !== 0))
  const [given, expected] = [await logitsOf(subject, ia3, state, rows), await logitsOf(subject, scaled, merged, rows)]
  given.forEach((logits, i) => {
    assertNear(logits, expected[i]!, 1e-5)
  })
})
