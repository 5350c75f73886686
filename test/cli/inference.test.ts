import assert from 'node:assert/strict'
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { examplesIn } from '../../src/data/examples.ts'
import { type Row, readRows } from '../../src/data/read-rows.ts'
import { readingFields } from '../../src/data/reading.ts'
import { openAdapted } from '../../src/evaluate/adapted.ts'
import { dataset } from '../../src/evaluate/dataset.ts'
import { findModel } from '../../src/evaluate/find-model.ts'
import { openForward } from '../../src/evaluate/forward.ts'
import { openPredictor, type PredictorOptions } from '../../src/evaluate/predictor.ts'
import { readHeader, readTensor } from '../../src/weights/safetensors.ts'
import { writeSafetensors } from '../../src/weights/write-safetensors.ts'
import { assertNear } from '../behaviour/tiny-model.ts'
import { command, jsonLines, projectFolder, succeed, tokenRows, writeModel, writeRun, writeTokenizer } from './project.ts'

const folder = projectFolder()
const experts = 3
/** Mixes both roles of one layer: nine routes. */
const method = { name: 'adamix', of: { name: 'bottleneck', size: 4, layers: 'last 1' }, experts, share: [] }
const site = 'bert.encoder.layer.1.output.dense'
const at = (...path: string[]): string => join(folder, ...path)
let rows: readonly Row[]

before(async () => {
  const train = { steps: 30, learningRate: 0.05 }
  const numbers = (count: number, seed: string) => tokenRows(count, seed).map((row) => ({ ...row, label: row.label === 'yes' ? 2 : -1 }))
  writeFileSync(at('numbers.jsonl'), jsonLines(numbers(24, 'numbers')))
  writeRun(folder, 'mixed.yaml', { method, train })
  writeRun(folder, 'numbers.yaml', { method, train, task: 'regression', data: { train: 'numbers.jsonl', eval: null } })
  writeRun(folder, 'plain.yaml', { train: { steps: 1 } })
  for (const name of ['mixed', 'numbers', 'plain']) {
    assert.deepEqual(await command(['train', `${name}.yaml`, '--out', name, '--quiet'], folder), { code: 0, stderr: '' })
  }
  rows = await readRows(at('eval.jsonl'))
})

const open = (changes: Partial<PredictorOptions> = {}) =>
  openPredictor({ model: at('model'), adapter: at('mixed/adapter'), task: null, ...changes })

async function logits(changes: Partial<PredictorOptions> = {}): Promise<number[][]> {
  const predictor = await open(changes)
  const answers = await predictor.predict(rows, { logits: true })
  await predictor.close()
  return answers.map((answer) => answer.logits as number[])
}

async function evaluation(changes: Partial<PredictorOptions> = {}): Promise<Record<string, number>> {
  const predictor = await open(changes)
  const metrics = await predictor.evaluate(rows)
  await predictor.close()
  return metrics
}

/** Logits of the plain adapter with these experts, put together from the run's file by their names. */
async function routeLogits(run: string, down: number, up: number): Promise<number[][]> {
  const model = await findModel(at('model'))
  const { open: task, method: plain, state } = openAdapted(model, { adapter: at(run, 'adapter'), task: null, labels: null })
  const file = readHeader(at(run, 'experts.safetensors')).tensors
  const own = new Map(state)
  for (const part of ['weight', 'bias']) {
    for (const [role, expert] of Object.entries({ down, up })) {
      const entry = file.get(`${site}.${role}.${expert}.${part}`)!
      own.set(`${site}.${role}.${part}`, { shape: entry.shape, data: readTensor(entry) })
    }
  }
  const forward = await openForward(task.subject, plain, own, { batchSize: 5 })
  const items = dataset(model, task.task, task.labels, rows, {
    reading: { columns: null, maxLength: 128, spans: readingFields.spans.parse(undefined), texts: readingFields.texts.parse(undefined) },
    labelled: false,
  })
  const answers = await forward.logits(examplesIn(items), own)
  await forward.close()
  return answers.map((row) => [...row])
}
const each = [0, 1, 2]
const pairs = each.flatMap((down) => each.map((up) => [down, up] as const))
const routes = (run = 'mixed'): Promise<number[][][]> => Promise.all(pairs.map(([down, up]) => routeLogits(run, down, up)))

const isNear = (a: readonly number[], b: readonly number[]): boolean => a.every((value, i) => Math.abs(value - b[i]!) < 1e-4)
const softmax = (z: readonly number[]): number[] => z.map((value) => Math.exp(value) / z.reduce((sum, other) => sum + Math.exp(other), 0))
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

test('the routes of the trained mixture differ', async () => {
  const all = await routes()
  all.forEach((one, i) => {
    for (const other of all.slice(i + 1)) assert.ok(one.some((row, k) => !isNear(row, other[k]!)))
  })
})

test('merged weights answer by default, the same each time and for every seed', async () => {
  const merged = await logits()
  assert.deepEqual(await logits({ inference: 'merged', seed: 2 }), merged)
  const metrics = await evaluation()
  assert.deepEqual(await evaluation({ inference: 'merged', seed: 3 }), metrics)
  assert.ok(metrics.calibrationError! > 0 && !('predictiveEntropy' in metrics) && !('mutualInformation' in metrics))
})

test('expert:K is expert K in every role', async () => {
  for (const expert of each) {
    assertNear((await logits({ inference: `expert:${expert}` })).flat(), (await routeLogits('mixed', expert, expert)).flat(), 1e-5)
  }
})

test('random answers each row by one of the routes, whatever rows stand beside it', async () => {
  const all = await routes()
  const random = await logits({ inference: 'random' })
  const taken = random.map((row, i) => all.flatMap((route, r) => (isNear(row, route[i]!) ? [r] : [])))
  assert.ok(
    taken.every(({ length }) => length > 0),
    JSON.stringify(taken),
  )
  assert.ok(new Set(taken.map(([first]) => first)).size > 3, 'several routes are taken')
  assert.deepEqual(await logits({ inference: 'random', batchSize: 1 }), random)
  assert.deepEqual(await logits({ inference: 'random', seed: 1 }), random)
  assert.notDeepEqual(await logits({ inference: 'random', seed: 2 }), random)
})

test('an ensemble of one answers all rows by one route', async () => {
  const [all, one] = [await routes(), await logits({ inference: 'ensemble:1', seed: 4 })]
  assert.ok(all.some((route) => one.every((row, i) => isNear(row, route[i]!))))
})

test('an ensemble has the mean probabilities of as many routes, the same for all rows', async () => {
  const probabilities = (await routes()).map((route) => route.map(softmax))
  const given = (await logits({ inference: 'ensemble:2', seed: 3 })).map((row) => row.map(Math.exp))
  for (const row of given) assert.ok(Math.abs(row[0]! + row[1]! - 1) < 1e-6)
  const found = pairs.flatMap((_, a) =>
    pairs.flatMap((_, b) =>
      a <= b &&
      given.every((row, i) =>
        isNear(
          row,
          row.map((_, c) => (probabilities[a]![i]![c]! + probabilities[b]![i]![c]!) / 2),
        ),
      )
        ? [[a, b]]
        : [],
    ),
  )
  assert.equal(found.length, 1)
})

test('regressions answer by the mean, and have no calibration', async () => {
  const changes = { adapter: at('numbers/adapter'), inference: 'ensemble:400' }
  const given = await logits(changes)
  const all = await routes('numbers')
  // Four hundred draws of nine routes come near the mean of all.
  given.forEach(([value], i) => {
    const scores = all.map((route) => route[i]![0]!)
    const spread = Math.max(...scores) - Math.min(...scores)
    assert.ok(Math.abs(value! - mean(scores)) < 0.15 * spread + 1e-5, `${value}, expected ${mean(scores)}`)
  })
  const predictor = await open(changes)
  const metrics = await predictor.evaluate(await readRows(at('numbers.jsonl')))
  await predictor.close()
  assert.deepEqual(Object.keys(metrics), ['pearson', 'spearman', 'correlation', 'loss'])
})

const onModel = ['--model', 'model', '--adapter', 'mixed/adapter']
const evaluated = async (...flags: string[]): Promise<Record<string, number>> =>
  JSON.parse(await succeed(['eval', ...onModel, '--data', 'eval.jsonl', ...flags], folder))

test('eval tells how uncertain an ensemble is, and how much of it is disagreement', async () => {
  const metrics = await evaluated('--inference', 'ensemble:6', '--seed', '5')
  const p = (await logits({ inference: 'ensemble:6', seed: 5 })).map((row) => row.map(Math.exp))
  const entropy = mean(p.map((row) => -row.reduce((sum, value) => sum + value * Math.log(value), 0)))
  assertNear([metrics.predictiveEntropy!], [entropy], 1e-5)
  assert.ok(metrics.mutualInformation! > 1e-5 && metrics.mutualInformation! < metrics.predictiveEntropy!)
  assert.ok(metrics.calibrationError! >= 0 && metrics.calibrationError! <= 1)
  assert.deepEqual(await evaluation({ inference: 'ensemble:6', seed: 5 }), Object.fromEntries(Object.entries(metrics).slice(1)))
  const random = await evaluated('--inference', 'random')
  assert.equal(random.mutualInformation, 0)
  assert.ok(random.predictiveEntropy! > 0 && 'calibrationError' in random)
  assert.ok(!('predictiveEntropy' in (await evaluated('--inference', 'expert:1'))))
})

test('predict takes the inference, too', async () => {
  const text = await succeed(['predict', ...onModel, '--data', 'eval.jsonl', '--logits', '--inference', 'expert:2'], folder)
  const given = text
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { logits: number[] }).logits)
  assertNear(given.flat(), (await routeLogits('mixed', 2, 2)).flat(), 1e-5)
})

async function refused(inference: string, says: RegExp, adapter = 'mixed/adapter', ...more: string[]): Promise<void> {
  const from = adapter === '' ? ['--task', 'sequence-classification'] : ['--adapter', adapter]
  const args = [
    'predict',
    '--model',
    adapter === '' ? 'whole' : 'model',
    ...from,
    '--data',
    'eval.jsonl',
    '--inference',
    inference,
    ...more,
  ]
  const { code, stderr } = await command(args, folder)
  assert.match(stderr, says)
  assert.match(stderr, /^adatune: [^\n]+\.\n$/)
  assert.equal(code, 2)
}

test('an inference that is none, or that the run has not, is refused', async () => {
  const forms = /there are merged, expert:K with K from 0, random, ensemble:N with N from 1/
  for (const text of ['soft', 'expert', 'expert:-1', 'expert:x', 'random:2', 'ensemble', 'ensemble:0', 'merged:1', 'constructor']) {
    await refused(text, forms)
  }
  await refused('expert:3', /"expert:3" is not there: the mixture of mixed\/adapter has experts 0 to 2/)
  await refused('random', /--seed -1: expected a whole number/, 'mixed/adapter', '--seed=-1')
  await refused('random', /plain\/adapter has no mixture to route through: there is no plain\/experts\.safetensors/, 'plain/adapter')
  await refused('random', /mixed\/experts\.safetensors is a file; give the folder of an adapter/, 'mixed/experts.safetensors')
})

test('experts that do not say what they are, or that they are of another method, are refused', async () => {
  cpSync(at('mixed'), at('moved'), { recursive: true })
  const file = at('moved/experts.safetensors')
  const tensors = [...readHeader(file).tensors].map(([name, entry]) => [name, { shape: entry.shape, data: readTensor(entry) }] as const)
  writeSafetensors(file, tensors)
  await refused('random', /moved\/experts\.safetensors does not say what mixture it holds/, 'moved/adapter')
  writeSafetensors(file, tensors, { method: '{"name": "mix"}' })
  await refused('random', /moved\/experts\.safetensors does not say what mixture it holds/, 'moved/adapter')
  writeSafetensors(file, tensors, { method: '{"name": "lora"}' })
  await refused('random', /moved\/experts\.safetensors holds experts that are merged, but the method is lora/, 'moved/adapter')
  rmSync(at('moved'), { recursive: true })
})

test('a model alone has no routes', async () => {
  writeModel(at('whole'), { classes: ['no', 'yes'] })
  writeTokenizer(at('whole'))
  await refused('random', /"random" needs an adapter/, '')
})
