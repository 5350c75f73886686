import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { armsOf } from '../../src/compare/arms.ts'
import { type Comparison, parseComparison } from '../../src/compare/comparison-file.ts'
import { onTrainingRows } from '../../src/compare/held-out.ts'
import type { Judgement } from '../../src/compare/judgement.ts'
import { rateTrials, withBestRate } from '../../src/compare/learning-rates.ts'
import { plan } from '../../src/compare/planned.ts'
import { UserError } from '../../src/errors.ts'
import { projectFolder } from '../cli/project.ts'

const folder = projectFolder()
const run = {
  model: join(folder, 'model'),
  task: 'sequence-classification',
  data: { train: join(folder, 'train.jsonl'), eval: join(folder, 'eval.jsonl') },
  train: { steps: 50, batchSize: 8 },
}
const of = (rest: object): Comparison => parseComparison({ run, axes: {}, ...rest }, 'test')
const methods = {
  plain: { name: 'lora', r: 4, targets: 'all-linear' },
  ada: { name: 'adalora', targets: 'all-linear' },
  mixed: { name: 'adamix', of: { name: 'bottleneck', variant: 'houlsby' }, experts: 2 },
  bitfit: { name: 'bitfit' },
}

test('arms that are matched in weights end with those of the plain one at most, as near as their sizes allow', async () => {
  const { arms, foretold } = await plan(of({ axes: { method: methods }, match: 'weights' }))
  const [plain, ada, mixed, bitfit] = await Promise.all(arms.map(async (arm) => (await foretold(arm)).weights.merged))
  for (const size of [ada!, mixed!]) assert.ok(size <= plain! && size > 0.6 * plain!, `${size} of ${plain}`)
  const alone = await plan(of({ run: { ...run, method: methods.bitfit } }))
  assert.equal(bitfit, (await alone.foretold(alone.arms[0]!)).weights.merged)
})

test('arms that are matched in operations take the same of them, those matched in steps as many updates', async () => {
  const flops = await plan(of({ axes: { method: methods }, match: ['weights', 'flops'] }))
  const takes = await Promise.all(flops.arms.map(flops.foretold))
  const [reference] = takes.map(({ costAt, totalSteps, examples }) => totalSteps * costAt(examples!.meanLength!).flops)
  for (const { costAt, totalSteps, examples } of takes) {
    const taken = totalSteps * costAt(examples!.meanLength!).flops
    assert.ok(Math.abs(taken - reference!) <= costAt(examples!.meanLength!).flops / 2 + 1)
  }
  assert.ok(takes[2]!.totalSteps < takes[0]!.totalSteps, 'two passes of a mixture leave fewer updates')
  const steps = await plan(of({ axes: { 'train.batchSize': [8, 16] }, run: { ...run, train: { epochs: 2 } }, match: 'steps' }))
  assert.deepEqual(
    steps.arms.map((arm) => arm.run.train.steps),
    [null, 12],
  )
})

test('wishes that contradict each other are refused', async () => {
  const refuses = (rest: object, expected: RegExp): Promise<void> =>
    assert.rejects(plan(of(rest)), (error) => error instanceof UserError && expected.test(error.message))
  await refuses({ match: ['steps', 'flops'] }, /steps and flops cannot both be equal/)
  await refuses({ match: 'weights', axes: { 'method.budget': [500, 900] } }, /method.budget is an axis/)
  await refuses({ match: 'flops', axes: { 'train.epochs': [1, 2] } }, /train.epochs is an axis/)
  const small = await plan(of({ axes: { method: ['lora', { name: 'prefix', budget: 3 }] } }))
  await assert.rejects(small.bytesOf(small.arms[1]!), /^UserError: prefix: A budget of 3/)
})

test('what could not be compared is refused before anything is trained, with its place', async () => {
  const { data } = run
  const refuses = async (settings: object, rest: object, expected: RegExp): Promise<void> => {
    const asked = of({ run: { ...run, ...settings }, ...rest })
    const foretold = async (): Promise<unknown> => {
      const { arms, foretold } = await plan(asked)
      return Promise.all(arms.map(foretold))
    }
    await assert.rejects(foretold, (error) => error instanceof UserError && expected.test(error.message))
  }
  await refuses({ data: { train: data.train } }, {}, /^test: .*give data\.eval, data\.evalShots or data\.test\.$/)
  await refuses(
    {},
    { metric: 'acuracy' },
    /^metric: sequence-classification has no metric "acuracy" in run; it has accuracy, .*Did you mean "accuracy"\?$/,
  )
  const matthews = { kind: 'sequence-classification', metrics: ['matthews'] }
  await refuses({ task: matthews }, { metric: 'f1' }, /no metric "f1" in run; it has matthews, loss\.$/)
  const routes = { axes: { inference: ['merged', 'expert:0'] } }
  const mixed = { method: methods.mixed }
  await refuses(
    { ...mixed, task: 'causal-lm', generate: { metric: 'bleu' } },
    routes,
    /^test: .*texts are written by merged weights alone, and expert:0 is an arm/,
  )
  const early = /^test: .*set train\.evalEvery to end\.$/
  await refuses({ ...mixed, train: { epochs: 2 } }, routes, early)
  await refuses({ ...mixed, train: { steps: 50, evalEvery: 49 } }, routes, early)
  const tested = { ...mixed, data: { train: data.train, test: data.eval }, train: { epochs: 2 } }
  await refuses(tested, { ...routes, learningRates: { times: [1, 2] } }, early)
  for (const settings of [
    { ...mixed, train: { epochs: 2, evalEvery: 'end' } },
    { ...mixed, train: { steps: 50, evalEvery: 50 } },
    { ...mixed, train: { epochs: 1 } },
    tested,
  ])
    assert.equal((await plan(of({ run: { ...run, ...settings }, ...routes }))).arms.length, 2)
})

const rowsIn = (file: string): string[] => readFileSync(file, 'utf8').trim().split('\n')

test('learning rates are chosen on training rows alone: two parts of them, and nothing of the evaluation rows', async () => {
  const [arm] = armsOf(of({})).arms
  const { data } = await onTrainingRows(arm!.run, 0.25, join(folder, 'held-out'))
  const [left, held] = [rowsIn(data.train), rowsIn(data.eval as string)]
  const all = rowsIn(run.data.train).map((line) => JSON.stringify(JSON.parse(line)))
  assert.equal(held.length, all.length / 4)
  assert.deepEqual([...left, ...held].sort(), all.sort())
  assert.equal(data.test, null)
  // Rows that have changed since are parted anew.
  const changed = { ...arm!.run, data: { ...arm!.run.data, train: join(folder, 'fewer.jsonl') } }
  for (const rows of [all, all.slice(0, 8)]) {
    writeFileSync(changed.data.train, rows.join('\n'))
    const again = (await onTrainingRows(changed, 0.25, join(folder, 'held-out'))).data
    assert.equal(rowsIn(again.train).length + rowsIn(again.eval as string).length, rows.length)
  }
  const few = armsOf(of({ run: { ...run, data: { ...run.data, shots: 4 } } })).arms[0]!
  const shots = await onTrainingRows(few.run, 0.25, folder)
  assert.deepEqual([shots.data.train, shots.data.eval, shots.data.evalShots], [run.data.train, null, 4])
  const same = armsOf(of({ run: { ...run, data: { train: run.data.train, shots: 4, evalShots: 4 } } })).arms[0]!
  await assert.rejects(onTrainingRows(same.run, 0.25, folder), /the rows to choose by are those to compare on/)
})

test('every arm has as many trials of learning rates, in multiples of its own; the best one is taken, the lower loss of equals', async () => {
  const comparison = of({ axes: { method: methods, 'train.seed': [3, 4] }, learningRates: { times: [0.5, 1, 2] } })
  const arms = armsOf(comparison)
  const trials = await rateTrials(comparison, arms, folder)
  const [arm, own] = [...trials][0]!
  assert.deepEqual(
    [...trials.values()].map((each) => each.length),
    [3, 3, 3, 3],
  )
  assert.deepEqual(
    own.map(({ seed, run: { train } }) => [seed, train.learningRate]),
    [
      [3, 0.00025],
      [3, 0.0005],
      [3, 0.001],
    ],
  )
  const judged = (accuracy: number, loss: number) => ({ metric: 'accuracy', last: { metrics: { accuracy, loss } } }) as unknown as Judgement
  const chosen = (scores: readonly (readonly [number, number] | null)[], metric: string | null = null) => {
    const known = own.flatMap(({ id }, i) => (scores[i] ? [[id, judged(...scores[i])] as const] : []))
    return withBestRate(arm, own, new Map(known), { by: 'last', metric })
  }
  assert.equal(
    chosen([
      [0.7, 1],
      [0.8, 2],
      [0.6, 0.1],
    ]).learningRate,
    0.0005,
  )
  assert.equal(
    chosen(
      [
        [0.7, 1],
        [0.8, 2],
        [0.6, 0.1],
      ],
      'loss',
    ).learningRate,
    0.001,
  )
  assert.equal(
    chosen([
      [0.7, 0.9],
      [0.7, 0.4],
      [0.7, 0.5],
    ]).learningRate,
    0.0005,
  )
  const { learningRate, tried } = chosen([[0.5, 1], null, [0.4, 1]])
  assert.deepEqual([learningRate, tried.map(({ score }) => score)], [0.00025, [0.5, null, 0.4]])
  // Scores that are not finite are worse than any, first or last, of what is better high or low.
  for (const metric of ['accuracy', 'loss'])
    for (const none of [Number.NaN, Number.POSITIVE_INFINITY])
      assert.equal(
        chosen(
          [
            [none, none],
            [0.1, 5],
            [none, none],
          ],
          metric,
        ).learningRate,
        0.0005,
      )
})
