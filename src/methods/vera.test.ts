import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyOf, disturb, prepare, rows, stepOptions, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { assertGradients, assertLossFalls, startOf } from '../../test/contracts/trial.ts'
import { openStep } from '../train/step.ts'
import { vera } from './vera.ts'

const subject = tinySubject()
const options = { r: 6, targets: ['query', 'up', 'down'] }

test('VeRA learns with the right gradients, and its projections stay as they were drawn', async () => {
  const { method } = prepare(subject, vera, options)
  const state = startOf(subject, method)
  await assertLossFalls(subject, method, state, rows)
  disturb(state, /\.b\.weight$/)
  await assertGradients(subject, method, state, rows, { pattern: /\.[db]\.weight$/ })
  const before = copyOf(state)
  const step = await openStep(subject, state, stepOptions(method, { adam: { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.1 } }))
  await step.run([rows], { seed: 1, step: 0 }, 0.05)
  await step.close()
  const changed = (name: string): boolean => state.get(name)!.data.some((value, i) => value !== before.get(name)!.data[i])
  assert.ok(changed('bert.encoder.layer.0.output.dense.d.weight'))
  assert.ok(!changed('shared.A.weight') && !changed('shared.B.weight'))
})

test('the projections fit the largest of the maps, and another seed draws others', () => {
  const drawn = (seed: number) => prepare(subject, vera, options, {}, seed).state
  const [a, b] = [drawn(1).get('shared.A.weight')!, drawn(1).get('shared.B.weight')!]
  assert.deepEqual(
    [a.shape, b.shape],
    [
      [6, 32],
      [32, 6],
    ],
  )
  const mean = (data: Float32Array): number => data.reduce((sum, value) => sum + value ** 2, 0) / data.length
  // A uniform number between -√(6/n) and √(6/n) has the variance 2/n.
  assert.ok(Math.abs(mean(a.data) / (2 / 32) - 1) < 0.2 && Math.abs(mean(b.data) / (2 / 6) - 1) < 0.2)
  assert.notDeepEqual(drawn(2).get('shared.A.weight')!.data, a.data)
})
