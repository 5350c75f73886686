import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { assertNear, copyOf, disturb, prepare, rows, stepOptions, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { alone, assertGradients, assertLossFalls, logitsOf, startOf } from '../../test/contracts/trial.ts'
import { UserError } from '../errors.ts'
import { deployed } from '../nn/method.ts'
import { openStep } from '../train/step.ts'
import { readTensor } from '../weights/safetensors.ts'
import { lora } from './lora.ts'

const subject = tinySubject()
const QUERY = 'bert.encoder.layer.0.attention.self.query'
const queryWeight = Matrix.from1DArray(16, 16, readTensor(subject.model.find(`${QUERY}.weight`)!))

test('LoRA+ moves B, and B alone, by a multiple of the learning rate, and shrinks it by as much', async () => {
  const { method, state } = prepare(subject, lora, { r: 2, loraPlus: 8, bias: 'lora_only' })
  disturb(state, /B\.weight$/)
  const [rate, weightDecay] = [1e-3, 0.5]
  const before = copyOf(state)
  const step = await openStep(subject, state, stepOptions(method, { adam: { betas: [0.9, 0.999], epsilon: 1e-12, weightDecay } }))
  await step.run([rows], { seed: 1, step: 0 }, rate)
  await step.close()
  for (const part of ['A.weight', 'B.weight', 'bias']) {
    const own = part === 'B.weight' ? 8 * rate : rate
    const [old, now] = [before.get(`${QUERY}.${part}`)!.data, state.get(`${QUERY}.${part}`)!.data]
    // Adam's first step has the size of the rate, whatever the gradient.
    now.forEach((value, i) => {
      const moved = Math.abs(value - old[i]! * (1 - own * weightDecay))
      assert.ok(Math.abs(moved - own) < 0.01 * own, `${part}[${i}] moved by ${moved}`)
    })
  }
})

for (const init of ['pissa', 'olora']) {
  test(`${init} starts as the frozen model, learns, and has the right gradients`, async () => {
    const { method } = prepare(subject, lora, { init, r: 4, alpha: 4, targets: ['query', 'down'] })
    const state = startOf(subject, method)
    const [given, expected] = [await logitsOf(subject, method, state, rows), await logitsOf(subject, alone, startOf(subject, alone), rows)]
    given.forEach((logits, i) => {
      assertNear(logits, expected[i]!, 1e-5)
    })
    const held = copyOf(state)
    await assertLossFalls(subject, method, state, rows, 0.02)
    await assertGradients(subject, method, state, rows, { pattern: /\.[AB]\.weight$/ })
    for (const [name, { data }] of held) if (/\.[AB]0\./.test(name)) assert.deepEqual(state.get(name)!.data, data)
  })
}

test('PiSSA takes over the largest singular values of the weight, whatever the scale', () => {
  const { diagonal } = new SingularValueDecomposition(queryWeight)
  for (const alpha of [3, 12]) {
    const { state } = prepare(subject, lora, { init: 'pissa', r: 3, alpha })
    const [a, b] = ['A', 'B'].map((role) => state.get(`${QUERY}.${role}.weight`)!)
    const taken = Matrix.from1DArray(16, 3, b!.data)
      .mmul(Matrix.from1DArray(3, 16, a!.data))
      .mul(alpha / 3)
    const left = new SingularValueDecomposition(Matrix.sub(queryWeight, taken)).diagonal
    assertNear(left.slice(0, 13), diagonal.slice(3), 1e-5)
    assert.ok(left[13]! < 1e-5)
  }
})

test('OLoRA takes over the first columns of the weight, by orthonormal ones', () => {
  const { state } = prepare(subject, lora, { init: 'olora', r: 3, alpha: 3 })
  const q = Matrix.from1DArray(16, 3, state.get(`${QUERY}.B.weight`)!.data)
  const r = Matrix.from1DArray(3, 16, state.get(`${QUERY}.A.weight`)!.data)
  assertNear(q.transpose().mmul(q).to1DArray(), Matrix.eye(3).to1DArray(), 1e-6)
  const first = (matrix: Matrix): number[] => matrix.subMatrix(0, matrix.rows - 1, 0, 2).to1DArray()
  assertNear(first(q.mmul(r)), first(queryWeight), 1e-6)
  for (const [i, j] of [
    [1, 0],
    [2, 0],
    [2, 1],
  ] as const)
    assertNear([r.get(i, j)], [0], 1e-6)
})

test('what is pruned is plain LoRA', () => {
  for (const besides of [{ dora: true }, { init: 'pissa' }]) {
    const wrong = () => prepare(subject, lora, { r: 4, prune: { targetR: 2 }, ...besides })
    assert.throws(wrong, (error) => error instanceof UserError && /"prune".*leave out dora/.test(error.message))
  }
})

test('PiSSA is left as an ordinary LoRA of twice the rank that answers alike, patterns and rank stabilisation included', async () => {
  for (const rslora of [false, true]) {
    const options = { init: 'pissa', r: 3, alpha: 6, rslora, rankPattern: { value: 2 }, alphaPattern: { value: 3 } }
    const { method, state } = prepare(subject, lora, options)
    disturb(state, /\.[AB]\.weight$/)
    const plain = deployed(method, state)
    const shape = (role: string): readonly number[] => plain.state.get(`${QUERY.replace('query', role)}.A.weight`)!.shape
    assert.deepEqual(
      [shape('query'), shape('value')],
      [
        [6, 16],
        [4, 16],
      ],
    )
    assert.ok([...plain.state.keys()].every((name) => !/\.[AB]0\./.test(name)))
    const [given, expected] = [
      await logitsOf(subject, plain.method, new Map(plain.state), rows),
      await logitsOf(subject, method, state, rows),
    ]
    given.forEach((logits, i) => {
      assertNear(logits, expected[i]!, 1e-5)
    })
  }
})
