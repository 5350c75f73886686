import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Example } from '../../src/data/examples.ts'
import { adalora } from '../../src/methods/adalora.ts'
import { full } from '../../src/methods/full.ts'
import { lora } from '../../src/methods/lora.ts'
import { openStep, type StepResult } from '../../src/train/step.ts'
import type { StepGraphOptions } from '../../src/train/step-graph.ts'
import { assertNear, copyOf, disturb, example, type Prepared, prepare, rows, stepOptions, tinySubject } from './tiny-model.ts'

/** Two updates of a copy of the state. A large epsilon keeps Adam from blowing rounding errors of tiny gradients up. */
async function updates({ subject, method, state }: Prepared, batches: readonly (readonly Example[])[], changes: Partial<StepGraphOptions>) {
  const own = copyOf(state)
  const adam = { betas: [0.9, 0.999], epsilon: 1e-2, weightDecay: 0.1 } as const
  const step = await openStep(subject, own, stepOptions(method, { maxGradNorm: 1, adam, ...changes, accumulate: batches.length }))
  const results: StepResult[] = []
  for (let i = 0; i < 2; i++) results.push(await step.run(batches, { seed: 1, step: i }, 0.01))
  await step.close()
  return { own, results }
}

async function assertSameUpdate(
  prepared: Prepared,
  examples: readonly Example[],
  parts: readonly (readonly Example[])[],
  changes: Partial<StepGraphOptions> = {},
) {
  const [whole, inParts] = [await updates(prepared, [examples], changes), await updates(prepared, parts, changes)]
  for (const [name, { data }] of whole.own) assertNear(inParts.own.get(name)!.data, data, 1e-6, name)
  for (const key of ['loss', 'taskLoss', 'penalty', 'gradNorm', 'tokens'] as const) {
    assertNear(
      inParts.results.map((result) => result[key]),
      whole.results.map((result) => result[key]),
      1e-5,
      key,
    )
  }
  const moved = [...prepared.state].some(([name, { data }]) =>
    whole.own.get(name)!.data.some((value, i) => Math.abs(value - data[i]!) > 1e-4),
  )
  assert.ok(moved)
  return { whole, inParts }
}

const parts = [rows.slice(0, 1), rows.slice(1, 4), rows.slice(4)]

test('micro-batches of unequal sizes give the update of the whole batch', async () => {
  await assertSameUpdate(prepare(tinySubject(), full), rows, parts)
})

test('so they do with class weights and label smoothing', async () => {
  const prepared = prepare(tinySubject(), lora, { r: 3 })
  disturb(prepared.state, /B\.weight$/)
  const objective = { passes: 1, consistency: null, labelSmoothing: 0.2, classWeights: [0.5, 3, 1.5] }
  const { whole } = await assertSameUpdate(prepared, rows, parts, { objective })
  const plain = await updates(prepared, [rows], {})
  assert.ok(Math.abs(plain.results[0]!.loss - whole.results[0]!.loss) > 1e-3, 'the objective matters')
})

test('tokens without a label count in no divisor', async () => {
  const prepared = prepare(tinySubject({}, 'token-classification'), lora, { r: 3 })
  disturb(prepared.state, /B\.weight$/)
  const examples = [
    example(3, [0, -100, 1]),
    example(5, [-100, -100, -100, -100, 2]),
    example(2, [1, 1]),
    example(4, [-100, -100, -100, -100]),
  ]
  await assertSameUpdate(prepared, examples, [examples.slice(0, 2), examples.slice(2)])
})

test('regression and spans add up as well', async () => {
  const numbers = [example(3, 0.5), example(6, -1), example(4, 2)]
  await assertSameUpdate(prepare(tinySubject({}, 'regression'), full), numbers, [numbers.slice(0, 1), numbers.slice(1)])
  const spans = [example(3, { start: 0, end: 2 }), example(8, { start: 4, end: 5 }), example(5, { start: 1, end: 1 })]
  await assertSameUpdate(prepare(tinySubject({}, 'question-answering'), full), spans, [spans.slice(0, 2), spans.slice(2)])
})

test("AdaLoRA's penalty, statistics and scores are those of the whole batch", async () => {
  const prepared = prepare(tinySubject(), adalora, { initR: 3, targetR: 2, tInit: 1, tFinal: 1, orthogonality: 0.3 })
  disturb(prepared.state, /E\.weight$/)
  const { whole, inParts } = await assertSameUpdate(prepared, rows, parts)
  assert.ok(whole.results[0]!.penalty > 0.1)
  for (const { loss, taskLoss, penalty } of inParts.results) assertNear([loss], [taskLoss + penalty], 1e-5)
  const [site] = [...whole.results[1]!.signals.keys()]
  const score = (run: typeof whole): Float32Array => run.results[1]!.signals.get(site!)!.score!
  assertNear(
    Array.from(score(inParts), (value, i) => value / score(whole)[i]!),
    [1, 1, 1],
    1e-3,
  )
})
