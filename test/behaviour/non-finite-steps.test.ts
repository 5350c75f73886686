import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adalora } from '../../src/methods/adalora.ts'
import { full } from '../../src/methods/full.ts'
import { openStep } from '../../src/train/step.ts'
import { assertSameBits, copyOf, disturb, example, prepare, rows, stepOptions, tinySubject } from './tiny-model.ts'

const moment = { seed: 1, step: 0 }

for (const [name, poison] of Object.entries({ NaN: Number.NaN, infinite: Number.POSITIVE_INFINITY })) {
  test(`one ${name} weight: the step says so and leaves parameters, moments and statistics alone`, async () => {
    const { subject, method, state } = prepare(tinySubject(), adalora, { initR: 3, targetR: 2, tInit: 1, tFinal: 1 })
    disturb(state, /E\.weight$/)
    const step = await openStep(subject, state, stepOptions(method, { maxGradNorm: 1 }))
    assert.equal((await step.run([rows], moment, 0.01)).finite, true)
    state.get('bert.encoder.layer.0.attention.self.query.A.weight')!.data[5] = poison
    const before = copyOf(state)
    const { finite, gradNorm } = await step.run([rows], { seed: 1, step: 1 }, 0.01)
    assert.equal(finite, false)
    assert.ok(!Number.isFinite(gradNorm))
    assertSameBits(state, before)
    await step.close()
  })
}

test('after a step at a huge learning rate the next one is refused and changes nothing', async () => {
  const { subject, method, state } = prepare(tinySubject(), full)
  const step = await openStep(subject, state, stepOptions(method))
  await step.run([rows], moment, 1e30)
  const before = copyOf(state)
  assert.equal((await step.run([rows], { seed: 1, step: 1 }, 1e30)).finite, false)
  assertSameBits(state, before)
  await step.close()
})

test('a micro-batch without finite gradients leaves nothing of the others behind', async () => {
  const { subject, method, state } = prepare(tinySubject(), full)
  const step = await openStep(subject, state, stepOptions(method, { accumulate: 2 }))
  const table = state.get('bert.embeddings.word_embeddings.weight')!.data
  // Only the second micro-batch has the token whose embedding is not a number.
  const [first, second] = [rows.slice(0, 2), rows.slice(2)]
  const token = [...second[0]!.ids].find((id) => first.every(({ ids }) => !ids.includes(id)))!
  const held = table[token * 16]!
  table[token * 16] = Number.NaN
  const before = copyOf(state)
  assert.equal((await step.run([first, second], moment, 0.01)).finite, false)
  assertSameBits(state, before)
  table[token * 16] = held
  const fresh = copyOf(state)
  await step.run([first, second], moment, 0.01)
  const other = await openStep(subject, fresh, stepOptions(method, { accumulate: 2 }))
  await other.run([first, second], moment, 0.01)
  assertSameBits(state, fresh)
  await Promise.all([step.close(), other.close()])
})

test('an update of which no target counts is refused by its rows', async () => {
  const { subject, method, state } = prepare(tinySubject({}, 'token-classification'), full)
  const row = { ...example(4, [-100, -100, -100, -100]), file: 'rows.jsonl', line: 7 }
  const step = await openStep(subject, state, stepOptions(method))
  await assert.rejects(step.run([[row]], moment, 0.01), { name: 'UserError', message: /No target of update 1 counts .*rows\.jsonl:7/ })
  await step.close()
})
