import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Example } from '../../src/data/examples.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { full } from '../../src/methods/full.ts'
import { lora } from '../../src/methods/lora.ts'
import { firstMoment } from '../../src/train/state-update.ts'
import { openStep } from '../../src/train/step.ts'
import { assertNear, copyOf, disturb, example, type Prepared, prepare, stepOptions, tinySubject } from './tiny-model.ts'

const short = example(4, 1)
const longer = [example(9, 0), example(7, 2)]

/** The same row with tokens at its end that nobody may attend to. */
function padded({ ids, types, mask, ...row }: Example, length: number): Example {
  const fill = Array.from({ length: length - ids.length }, () => 7)
  const none = fill.map(() => 0)
  return {
    ...row,
    ids: Int32Array.from([...ids, ...fill]),
    types: Int32Array.from([...types, ...none]),
    mask: Uint8Array.from([...mask, ...none]),
  }
}

/** Gradients of the summed loss by name: at the first update the first moment is (1 - β₁) times the gradient of the mean. */
async function gradients({ subject, method, state }: Prepared, examples: readonly Example[]): Promise<Map<string, number[]>> {
  const own = copyOf(state)
  const step = await openStep(subject, own, stepOptions(method))
  await step.run([examples], { seed: 1, step: 0 }, 0)
  await step.close()
  const scale = examples.length / (1 - 0.9)
  return new Map([...state.keys()].map((name) => [name, Array.from(own.get(firstMoment(name))!.data, (value) => value * scale)]))
}

const methods = {
  LoRA: () => prepare(tinySubject(), lora, { r: 3, targets: 'all-linear' }),
  'full fine-tuning': () => prepare(tinySubject(), full),
}
for (const [name, make] of Object.entries(methods)) {
  test(`${name}: the logits of a row depend neither on who shares its batch nor on padding`, async () => {
    const { subject, method, state } = make()
    disturb(state, /B\.weight$/)
    const forward = await openForward(subject, method, state, { batchSize: 3 })
    const [alone] = await forward.logits([short], state)
    const together = await forward.logits([longer[0]!, short, longer[1]!], state)
    const filled = await forward.logits([padded(short, 12), ...longer], state)
    await forward.close()
    assert.ok(alone!.some((value) => Math.abs(value) > 0.01))
    assertNear(together[1]!, alone!, 1e-6, 'in a batch')
    assertNear(filled[0]!, alone!, 1e-6, 'padded')
    assertNear(filled[1]!, together[0]!, 1e-6, 'beside a padded row')
  })

  test(`${name}: the summed gradients of rows depend neither on who shares the batch nor on padding`, async () => {
    const prepared = make()
    disturb(prepared.state, /B\.weight$/)
    const each = await Promise.all([short, ...longer].map((row) => gradients(prepared, [row])))
    const batches = {
      together: [short, ...longer],
      'in another order': [...longer, short],
      padded: [longer[0]!, padded(short, 11), padded(longer[1]!, 8)],
    }
    for (const [how, batch] of Object.entries(batches)) {
      for (const [parameter, given] of await gradients(prepared, batch)) {
        const sum = given.map((_, i) => each.reduce((total, one) => total + one.get(parameter)![i]!, 0))
        assertNear(given, sum, 2e-6, `${how}: ${parameter}`)
      }
    }
    const learning = [...each[0]!.values()].filter((gradient) => gradient.some((value) => Math.abs(value) > 1e-4))
    assert.ok(learning.length > each[0]!.size / 2)
  })
}

test('a token classifier gives a padded row the logits of its own tokens', async () => {
  const { subject, method, state } = prepare(tinySubject({}, 'token-classification'), lora)
  const forward = await openForward(subject, method, state, { batchSize: 2 })
  const row = example(4, [0, 1, 2, 0])
  const [alone] = await forward.logits([row], state)
  const [filled] = await forward.logits([padded(row, 9), example(10, [])], state)
  await forward.close()
  assertNear(filled!.subarray(0, alone!.length), alone!, 1e-6)
})

test('a call tells after each batch how many of its rows are answered', async () => {
  const { subject, method, state } = prepare(tinySubject(), lora, { r: 3, targets: 'all-linear' })
  const told: unknown[] = []
  const forward = await openForward(subject, method, state, { batchSize: 2, progress: (...progress) => told.push(progress) })
  await forward.logits([short, ...longer], state)
  await forward.close()
  assert.deepEqual(told, [
    [2, 3, 'rows'],
    [3, 3, 'rows'],
  ])
})
