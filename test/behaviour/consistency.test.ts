import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Example } from '../../src/data/examples.ts'
import type { TaskName } from '../../src/heads/index.ts'
import { lora, loraOptions } from '../../src/methods/lora.ts'
import { mixture } from '../../src/methods/mixture.ts'
import type { Consistency } from '../../src/nn/consistency.ts'
import type { Method } from '../../src/nn/method.ts'
import { openStep, type StepResult } from '../../src/train/step.ts'
import { assertGradients, startOf } from '../contracts/trial.ts'
import { assertNear, copyOf, disturb, example, rows, settingOf, stepOptions, tinySubject } from './tiny-model.ts'

const lengths = [5, 9, 3, 7]
const examples = {
  'sequence-classification': rows,
  regression: lengths.map((length, i) => example(length, i - 1.5)),
  'token-classification': lengths.map((length) =>
    example(
      length,
      Array.from({ length }, (_, k) => (k === 1 ? -100 : k % 3)),
    ),
  ),
  'masked-lm': lengths.map((length) =>
    example(
      length,
      Array.from({ length }, (_, k) => (k % 3 === 1 ? k + 7 : -100)),
    ),
  ),
  'prompt-classification': rows,
  'question-answering': lengths.map((length) => example(length, { start: 1, end: length - 1 })),
} as const satisfies Partial<Record<TaskName, readonly Example[]>>
type Tried = keyof typeof examples
const agreement: Consistency = { weight: 1, ramp: 0, form: 'reference', numbers: 'square', crossEntropy: 'first' }

/** A mixture of two experts that differ, whose passes take the given ones. */
function mixed(task: Tried, passes: readonly number[], changes: Partial<Consistency>) {
  const subject = tinySubject({}, task)
  const setting = settingOf(subject)
  const inner = lora.create(loraOptions.parse({ name: 'lora', r: 2 }), setting)
  const options = { experts: 2, share: ['B'], consistency: { ...agreement, ...changes }, lazy: false }
  const method: Method = mixture(inner, setting.sites, {
    ...{ ...options, merges: true },
    routing: { per: 'pass', draw: (_draw, { pass }) => passes[pass]! },
  })
  const state = startOf(subject, method)
  disturb(state, /[AB]\.weight$/)
  return { subject, method, state }
}

async function steps(task: Tried, passes: readonly number[], changes: Partial<Consistency>, count = 1): Promise<StepResult[]> {
  const { subject, method, state } = mixed(task, passes, changes)
  const step = await openStep(subject, copyOf(state), stepOptions(method))
  const results: StepResult[] = []
  for (let i = 0; i < count; i++) results.push(await step.run([examples[task]], { seed: 1, step: i }, 0))
  await step.close()
  return results
}

for (const task of Object.keys(examples) as Tried[]) {
  test(`${task}: with "both" the task loss is the sum of those of the two passes`, async () => {
    const [[both], [one], [other]] = await Promise.all([
      steps(task, [0, 1], { crossEntropy: 'both' }),
      steps(task, [0, 1], {}),
      steps(task, [1, 0], {}),
    ])
    assert.ok(Math.abs(one!.taskLoss - other!.taskLoss) > 1e-4, 'the passes differ')
    assertNear([both!.taskLoss, both!.consistency], [one!.taskLoss + other!.taskLoss, one!.consistency], 1e-5)
    assertNear([both!.loss], [both!.taskLoss + both!.consistency], 1e-6)
  })

  test(`${task}: the symmetric form over both passes has the gradient of the loss it reports`, async () => {
    const { subject, method, state } = mixed(task, [0, 1], { weight: 2, form: 'symmetric', crossEntropy: 'both' })
    await assertGradients(subject, method, state, examples[task], { pattern: /layer\.1\..*[AB]\.weight$/ })
  })
}

test('the reference form reports the value of the symmetric one', async () => {
  const [reference] = await steps('sequence-classification', [0, 1], {})
  const [symmetric] = await steps('sequence-classification', [0, 1], { form: 'symmetric' })
  assert.equal(reference!.consistency, symmetric!.consistency)
  assert.notEqual(reference!.gradNorm, symmetric!.gradNorm)
})

test('regressions told to agree by a divergence learn from the labels alone, as with no weight on agreement', async () => {
  const [[square], [reference], [none]] = await Promise.all([
    steps('regression', [0, 1], {}),
    steps('regression', [0, 1], { numbers: 'divergence' }),
    steps('regression', [0, 1], { weight: 0 }),
  ])
  assert.ok(square!.consistency > 1e-4 && square!.gradNorm !== none!.gradNorm)
  assert.equal(Math.abs(reference!.consistency), 0)
  assert.deepEqual([reference!.loss, reference!.gradNorm], [none!.taskLoss, none!.gradNorm])
})

test('a ramp raises the weight from update to update; the consistency is reported without it', async () => {
  const ramped = await steps('sequence-classification', [0, 1], { weight: 8, ramp: 4 }, 6)
  const [{ consistency, taskLoss }] = ramped as [StepResult]
  assert.ok(consistency > 1e-3)
  assert.deepEqual(
    ramped.map((result) => result.consistency),
    ramped.map(() => consistency),
  )
  assertNear(
    ramped.map(({ loss }) => loss),
    [0, 2, 4, 6, 8, 8].map((weight) => taskLoss + weight * consistency),
    1e-6,
  )
  const [constant] = await steps('sequence-classification', [0, 1], { weight: 8 })
  assert.deepEqual([ramped[4]!.loss, ramped[4]!.gradNorm], [constant!.loss, constant!.gradNorm])
})
