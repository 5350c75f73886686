import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNear, disturb, prepare, rows, tinySubject } from '../../test/behaviour/tiny-model.ts'
import type { Adapted } from '../evaluate/adapted.ts'
import { openForward } from '../evaluate/forward.ts'
import { openTask } from '../evaluate/open-task.ts'
import { lora } from '../methods/lora.ts'
import { stream } from '../random/draws.ts'
import { keyOf } from '../random/key.ts'
import { negativeLogLikelihood } from '../tasks/softmax.ts'
import { fisherInformation } from './fisher-information.ts'

test('the Fisher information is the mean square of differences of log p(y|x), y drawn from the model', async () => {
  const { subject, method, state } = prepare(tinySubject(), lora, { r: 2 })
  disturb(state, /B\.weight$/)
  const open = openTask(subject.model, 'sequence-classification', ['x', 'y', 'z'])
  const adapted: Adapted = { open, adapter: null, method, state }
  const options = { batchSize: 8, seed: 5 }
  const information = await fisherInformation(adapted, rows, options)
  assert.deepEqual([...information.keys()].sort(), [...state.keys()].sort())

  const forward = await openForward(subject, method, state, options)
  const drawn = (await forward.logits(rows, state)).map((logits, i) => open.task.draw!(logits, open.labels, stream(keyOf('fisher', 5, i))))
  const likelihoods = async (): Promise<number[]> =>
    (await forward.logits(rows, state)).map((logits, i) => -negativeLogLikelihood(logits, drawn[i] as number))
  const h = 1 / 64
  for (const [name, { data }] of state) {
    const at = data.length >> 1
    const value = data[at]!
    data[at] = value + h
    const up = await likelihoods()
    data[at] = value - h
    const down = await likelihoods()
    data[at] = value
    const expected = up.reduce((sum, x, i) => sum + ((x - down[i]!) / (2 * h)) ** 2, 0) / rows.length
    assertNear([information.get(name)![at]! / Math.max(expected, 1e-3)], [expected / Math.max(expected, 1e-3)], 0.02, name)
  }
  await forward.close()
})

test('what the model holds for certain is drawn', async () => {
  const { task, labels } = openTask(tinySubject().model, 'sequence-classification', ['x', 'y', 'z'])
  for (let seed = 0; seed < 20; seed++) assert.equal(task.draw!(Float32Array.of(-50, 50, -50), labels, stream(keyOf(seed))), 1)
  const counts = [0, 0, 0]
  for (let seed = 0; seed < 3000; seed++)
    counts[task.draw!(Float32Array.of(0, Math.log(2), 0), labels, stream(keyOf('draw', seed))) as number]!++
  assertNear(
    counts.map((count) => count / 3000),
    [0.25, 0.5, 0.25],
    0.03,
  )
})
