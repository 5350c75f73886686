import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { runConfig } from '../../src/config/run-config.ts'
import { readHeader, readTensor } from '../../src/weights/safetensors.ts'
import { assertNear, temporaryFolder } from '../behaviour/tiny-model.ts'
import {
  adatune,
  assertSameRun,
  command,
  type DataRow,
  type Event,
  eventsOf,
  jsonLines,
  projectFolder,
  readJson,
  recordOf,
  succeed,
  textRows,
  writeModel,
  writeRun,
} from './project.ts'

const folder = projectFolder()
const texts = textRows(48, 'train')
const evalTexts = textRows(20, 'eval')
writeFileSync(join(folder, 'texts.jsonl'), jsonLines(texts))
writeFileSync(join(folder, 'eval-texts.jsonl'), jsonLines(evalTexts))
const ofTexts = { train: 'texts.jsonl', eval: 'eval-texts.jsonl' }
type Settings = Parameters<typeof writeRun>[2]

/** Trains in this process and returns the run's folder. */
async function trained(name: string, settings: Settings, ...flags: string[]): Promise<string> {
  writeRun(folder, `${name}.yaml`, settings)
  const { code, stderr } = await command(['train', `${name}.yaml`, '--out', name, '--quiet', ...flags], folder)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  return join(folder, name)
}

const eventsIn = (run: string, kind: string): Event[] => eventsOf(recordOf(run)).filter(({ event }) => event === kind)
const number = (value: unknown): number => {
  assert.ok(typeof value === 'number' && Number.isFinite(value), `${value} is no number`)
  return value
}
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

const run = trained('run', { data: ofTexts, train: { steps: 12, evalEvery: 5, learningRate: 0.01, checkpointEvery: 5 } })

test('a run leaves its settings, its record, its metrics, checkpoints and the adapter', async () => {
  const out = await run
  assert.deepEqual(readdirSync(out).sort(), ['adapter', 'checkpoints', 'config.json', 'env.json', 'metrics.json', 'run.jsonl'])
  assert.deepEqual(readdirSync(join(out, 'adapter')).sort(), ['adapter_config.json', 'adapter_model.safetensors', 'adatune.json'])
  const config = readJson(out, 'config.json') as { train: Record<string, unknown>; method: Record<string, unknown> }
  assert.deepEqual(Object.keys(config).sort(), Object.keys(runConfig.shape).sort())
  assert.deepEqual([config.train.learningRate, config.train.epsilon, config.method.alpha], [0.01, 1e-8, 16])
  const environment = readJson(out, 'env.json')
  assert.deepEqual(Object.keys(environment.sources as object), ['texts.jsonl', 'eval-texts.jsonl'])
  for (const name of ['adatune', 'node', 'onnxruntime', 'platform', 'processor', 'cores', 'memoryBytes']) assert.ok(environment[name], name)
})

test('a run tells its classes, and how many rows are cut', async () => {
  const counts = { bad: 0, good: 0 }
  for (const { label } of texts) counts[label as 'bad']++
  const [whole] = eventsIn(await run, 'run')
  assert.deepEqual([whole!.classes, whole!.cut], [counts, undefined])
  // Every text has four words or more, and special tokens are two.
  const [cut] = eventsIn(await trained('cut', { data: { ...ofTexts, maxLength: 5 }, train: { steps: 1 } }), 'run')
  assert.deepEqual(cut!.cut, { rows: texts.length, tokens: 5 })
})

test('the events of a run have their fields', async () => {
  const out = await run
  const kinds = eventsOf(recordOf(out)).map(({ event }) => event)
  assert.deepEqual([kinds[0], kinds.at(-1)], ['run', 'done'])
  const steps = eventsIn(out, 'step')
  assert.deepEqual(
    steps.map(({ step }) => step),
    Array.from({ length: 12 }, (_, i) => i + 1),
  )
  const fields = ['epoch', 'loss', 'taskLoss', 'penalty', 'consistency', 'gradNorm', 'learningRate', 'tokens', 'ms']
  for (const step of steps) for (const field of fields) number(step[field])
  // 48 rows in batches of 8.
  assertNear(
    steps.map(({ epoch }) => number(epoch)),
    steps.map((_, i) => (i + 1) / 6),
    1e-9,
  )
  const evals = eventsIn(out, 'eval')
  assert.deepEqual(
    evals.map(({ step }) => step),
    [5, 10, 12],
  )
  for (const evaluation of evals) for (const field of ['epoch', 'accuracy', 'f1', 'matthews', 'loss']) number(evaluation[field])
  assert.equal(evals[0]!.best, true)
  assert.deepEqual(
    eventsIn(out, 'checkpoint').map(({ step }) => step),
    [5, 10, 12],
  )
  const [begun] = eventsIn(out, 'run')
  assert.deepEqual([begun!.model, begun!.task, begun!.totalSteps, begun!.examples], ['model', 'sequence-classification', 12, 48])
})

test('metrics.json has the metrics of what was kept, and what the run took', async () => {
  const out = await run
  const metrics = readJson(out, 'metrics.json')
  const fields = [
    'accuracy',
    'f1',
    'matthews',
    'loss',
    'trainFlops',
    'seconds',
    'cpuSeconds',
    'peakMemoryBytes',
    'base',
    'head',
    'trained',
    'merged',
  ]
  for (const field of fields) number(metrics[field])
  const kept = eventsIn(out, 'eval').find(({ step }) => step === metrics.keptStep)!
  assert.deepEqual([metrics.accuracy, metrics.loss], [kept.accuracy, kept.loss])
  assert.equal(metrics.steps, 12)
  assert.equal(metrics.tokens, sum(eventsIn(out, 'step').map(({ tokens }) => number(tokens))))
  const adapter = join(out, 'adapter')
  assert.equal(metrics.adapterBytes, sum(readdirSync(adapter).map((name) => statSync(join(adapter, name)).size)))
  assert.ok(number(metrics.peakMemoryBytes) > 1e7 && number(metrics.cpuSeconds) > 0 && number(metrics.trainFlops) > 1e6)
  const { event: _event, ...done } = eventsIn(out, 'done')[0]!
  assert.deepEqual(metrics, done)
})

const adapted = ['--model', 'model', '--adapter', 'run/adapter']
const linesOf = (text: string): Record<string, unknown>[] => eventsOf(text) as Record<string, unknown>[]
const logitsIn = (text: string): number[] => linesOf(text).flatMap(({ logits }) => logits as number[])

test('eval gives the metrics that the run kept', async () => {
  const out = await run
  const [line, ...rest] = linesOf(await succeed(['eval', ...adapted, '--data', 'eval-texts.jsonl'], folder))
  assert.deepEqual(rest, [])
  const metrics = readJson(out, 'metrics.json')
  assert.equal(line!.rows, 20)
  for (const name of ['accuracy', 'f1', 'matthews']) assert.equal(line![name], metrics[name])
  assertNear([number(line!.loss)], [number(metrics.loss)], 1e-5)
})

test('predict answers the rows of a file and single texts', async () => {
  await run
  // Labels are not asked for, and not looked at.
  const unlabelled = evalTexts.map(({ text }, i) => (i % 2 === 0 ? { text } : { text, label: -1 }))
  writeFileSync(join(folder, 'unlabelled.jsonl'), jsonLines(unlabelled))
  const answered = await succeed(['predict', ...adapted, '--data', 'unlabelled.jsonl'], folder)
  const answers = linesOf(answered)
  assert.equal(answers.length, 20)
  for (const { label, scores } of answers) {
    const { bad, good, ...others } = scores as Record<string, number>
    assert.deepEqual(others, {})
    assertNear([bad! + good!], [1], 1e-6)
    assert.equal(label, bad! > good! ? 'bad' : 'good')
  }
  const printed = await succeed(['predict', ...adapted, '--data', 'unlabelled.jsonl', '--output', 'answers.jsonl'], folder)
  assert.equal(printed, '20 answers in answers.jsonl\n')
  assert.equal(readFileSync(join(folder, 'answers.jsonl'), 'utf8'), answered)

  // What a row is called goes with its answer, by whatever column.
  writeFileSync(join(folder, 'named.jsonl'), jsonLines(evalTexts.map(({ text }, i) => ({ text, id: i, key: `row ${i}` }))))
  const idsBy = async (...flags: string[]): Promise<unknown[]> =>
    linesOf(await succeed(['predict', ...adapted, '--data', 'named.jsonl', ...flags], folder)).map(({ id }) => id)
  const numbers = evalTexts.map((_, i) => i)
  assert.deepEqual(await idsBy(), numbers)
  assert.deepEqual(
    await idsBy('--logits', '--text-column', 'text', '--id-column', 'key'),
    numbers.map((i) => `row ${i}`),
  )

  const logits = logitsIn(await succeed(['predict', ...adapted, '--data', 'unlabelled.jsonl', '--logits'], folder))
  const odds = answers.map(({ scores }) => (scores as { good: number }).good)
  assertNear(
    odds,
    odds.map((_, i) => 1 / (1 + Math.exp(logits[2 * i]! - logits[2 * i + 1]!))),
    1e-5,
  )

  const one = linesOf(await succeed(['predict', ...adapted, '--text', String(unlabelled[0]!.text)], folder))
  assert.equal(one.length, 1)
  assert.equal(one[0]!.label, answers[0]!.label)
  assertNear([(one[0]!.scores as { good: number }).good], [odds[0]!], 1e-5)
  const [pair] = linesOf(await succeed(['predict', ...adapted, '--logits', '--text', 'The film is good.', 'The play is bad.'], folder))
  assert.equal((pair!.logits as number[]).length, 2)
})

test('a merged model answers as the adapter does, also without it', async () => {
  await run
  const said = await succeed(['merge', ...adapted, '--out', 'merged'], folder)
  assert.match(said, /^Merged into merged; on 8 rows its logits differ by at most \S+ of the largest\.\n$/)
  assert.deepEqual(
    readdirSync(folder).filter((name) => /tmp/.test(name)),
    [],
  )
  const asked = ['--data', 'eval-texts.jsonl', '--logits']
  const alone = await succeed(['predict', '--model', 'merged', '--task', 'sequence-classification', ...asked], folder)
  assertNear(logitsIn(alone), logitsIn(await succeed(['predict', ...adapted, ...asked], folder)), 1e-5)
  const [answer] = linesOf(await succeed(['predict', '--model', 'merged', '--task', 'sequence-classification', '--text', 'A film'], folder))
  assert.deepEqual(Object.keys(answer!.scores as object), ['bad', 'good'])
})

test('a model with a head of its own answers without an adapter', async () => {
  writeModel(join(folder, 'headed'), { classes: ['one', 'two', 'three'] })
  const asked = ['predict', '--model', 'headed', '--task', 'sequence-classification', '--data', 'eval.jsonl']
  const answers = linesOf(await succeed(asked, folder))
  assert.equal(answers.length, 24)
  for (const { scores } of answers) assert.deepEqual(Object.keys(scores as object), ['one', 'two', 'three'])
  const [renamed] = linesOf(await succeed([...asked, '--labels', 'x, y, z'], folder))
  assert.deepEqual(Object.keys(renamed!.scores as object), ['x', 'y', 'z'])
})

test('--json prints the events alone, --quiet nothing, and neither is progress and a table', async () => {
  writeRun(folder, 'printing.yaml', { train: { steps: 3 } })
  const json = await adatune(['train', 'printing.yaml', '--out', 'json', '--json'], folder)
  assert.deepEqual([json.code, json.stderr], [0, ''])
  assert.equal(json.stdout, recordOf(join(folder, 'json')))
  assert.deepEqual(
    eventsOf(json.stdout).map(({ event }) => event),
    ['run', 'step', 'step', 'step', 'eval', 'checkpoint', 'done'],
  )
  const quiet = await adatune(['train', 'printing.yaml', '--out', 'quiet', '--quiet'], folder)
  assert.deepEqual(quiet, { code: 0, signal: null, stdout: '', stderr: '' })
  const plain = await adatune(['train', 'printing.yaml', '--out', 'plain'], folder)
  assert.match(plain.stderr, /step 3\/3/)
  assert.match(plain.stdout, /adapter +[\d.]+ kB in plain\/adapter/)
  assertSameRun(join(folder, 'plain'), join(folder, 'json'))
})

test('inspect needs a config.json alone', async () => {
  const bare = temporaryFolder()
  mkdirSync(join(bare, 'model'))
  cpSync(join(folder, 'model/config.json'), join(bare, 'model/config.json'))
  assert.match(await succeed(['inspect', '--model', 'model'], bare), /^bert: 2 layers of hidden size 16\n/)
  const { method } = JSON.parse(await succeed(['inspect', '--model', 'model', '--method', 'lora', '--set', 'method.r=3', '--json'], bare))
  assert.equal(method.training.weights, 4 * 3 * (16 + 16))
})

test('schema describes run files', async () => {
  const schema = JSON.parse(await succeed(['schema'], folder))
  assert.match(schema.$schema, /json-schema\.org/)
  assert.equal(schema.type, 'object')
  assert.deepEqual(Object.keys(schema.properties).sort(), Object.keys(runConfig.shape).sort())
  assert.equal(schema.additionalProperties, false)
  assert.deepEqual(schema.required.sort(), ['data', 'model', 'task'])
})

test('csv, tsv and gzipped files give the run that jsonl gives', async () => {
  const quoted: DataRow[] = texts.map(({ text, label }, i) => ({ text: i === 0 ? 'a "good", very good film' : text, label }))
  const table = (separator: string, shape: (text: string) => string): string =>
    [`text${separator}label`, ...quoted.map(({ text, label }) => `${shape(String(text))}${separator}${label}`), ''].join('\n')
  const files: Record<string, string | Uint8Array> = {
    'all.jsonl': jsonLines(quoted),
    'all.csv': table(',', (text) => `"${text.replaceAll('"', '""')}"`),
    'all.tsv': table('\t', (text) => text),
    'all.jsonl.gz': gzipSync(jsonLines(quoted)),
  }
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content)
    const out = await trained(`from-${name}`, { data: { train: name, eval: name }, train: { steps: 2 } })
    assertSameRun(out, join(folder, 'from-all.jsonl'), name)
  }
})

test('--set changes settings and --out the folder; "out" of the run file will do, too', async () => {
  const flags = ['--set', 'method.r=3', '--set', 'train={ steps: 2, threads: 1 }', '--set', 'method.targets=[key]']
  const out = await trained('set', { out: 'elsewhere', train: { steps: 9 } }, ...flags)
  const { method, train } = readJson(out, 'config.json') as { method: Record<string, unknown>; train: Record<string, unknown> }
  assert.deepEqual([method.r, method.targets, train.steps, train.batchSize], [3, ['key'], 2, 32])
  assert.ok(!existsSync(join(folder, 'elsewhere')))
  const shapes = [...readHeader(join(out, 'adapter/adapter_model.safetensors')).tensors]
  assert.deepEqual(shapes.find(([name]) => name.endsWith('layer.1.attention.self.key.lora_A.weight'))![1].shape, [3, 16])
  const { code, stderr } = await command(['train', 'set.yaml', '--quiet', '--set', 'train.steps=1'], folder)
  assert.deepEqual([code, stderr, existsSync(join(folder, 'elsewhere/metrics.json'))], [0, '', true])
})

test('a budget sets the rank', async () => {
  const rank = async (name: string, budget: unknown): Promise<unknown> => {
    const out = await trained(name, { method: { name: 'lora', r: 8, budget }, data: { eval: null }, train: { steps: 1 } })
    const { base, head, trained: weights } = readJson(out, 'metrics.json') as Record<string, number>
    const { r } = (readJson(out, 'config.json') as { method: { r: number } }).method
    // Two layers, two modules each, of 16 x 16.
    assert.equal(weights, 4 * 32 * r)
    if (typeof budget === 'string') {
      const allowed = (Number.parseFloat(budget) / 100) * (base! + head!)
      assert.ok(weights! <= allowed && allowed < 4 * 32 * (r + 1))
    }
    return r
  }
  assert.equal(await rank('budget-share', '5.5%'), 2)
  assert.equal(await rank('budget-ranks', { ranks: 13 }), 3)
  assert.equal(await rank('budget-count', 128), 1)
})

test('training stops after as many evaluations without a better one as patience says', async () => {
  const out = await trained('patience', { train: { steps: 30, learningRate: 0, evalEvery: 2, patience: 3, checkpointEvery: 100 } })
  assert.deepEqual(
    eventsIn(out, 'eval').map(({ step, best }) => [step, best]),
    [
      [2, true],
      [4, false],
      [6, false],
      [8, false],
    ],
  )
  const { steps, keptStep } = readJson(out, 'metrics.json')
  assert.deepEqual([steps, keptStep], [8, 2])
})

test('by default an evaluation follows every epoch', async () => {
  const out = await trained('epochs', { train: { steps: null, epochs: 2.5, batchSize: 16 } })
  assert.deepEqual(
    eventsIn(out, 'eval').map(({ step }) => step),
    [3, 6, 8],
  )
})

test('label smoothing and class weights change the loss', async () => {
  const losses = async (name: string, changes: Record<string, unknown>): Promise<number[]> => {
    const out = await trained(name, { data: { labels: ['no', 'yes'] }, train: { steps: 2, ...changes } })
    return eventsIn(out, 'step').map(({ taskLoss }) => number(taskLoss))
  }
  const plain = await losses('weights-none', {})
  assertNear(await losses('weights-equal', { classWeights: [1, 1] }), plain, 1e-6)
  assert.notDeepEqual(await losses('weights-other', { classWeights: [3, 1] }), plain)
  assert.notDeepEqual(await losses('smoothed', { labelSmoothing: 0.1 }), plain)
})

test('trainAlso trains a module of the model and saves it with the adapter', async () => {
  const out = await trained('pooler', { data: { eval: 'eval.jsonl' }, train: { steps: 3, trainAlso: ['pooler'], learningRate: 0.01 } })
  const saved = readHeader(join(out, 'adapter/adapter_model.safetensors')).tensors
  const found = [...saved].filter(([name]) => name.includes('pooler'))
  assert.deepEqual(
    found.map(([name]) => name.split('.').slice(-2).join('.')),
    ['dense.bias', 'dense.weight'],
  )
  const before = readHeader(join(folder, 'model/model.safetensors')).tensors.get('bert.pooler.dense.weight')!
  assert.notDeepEqual(readTensor(found[1]![1]), readTensor(before))
  const values = [...saved.values()].reduce((sum, { shape }) => sum + shape.reduce((n, dim) => n * dim, 1), 0)
  const { trained: counted, head } = readJson(out, 'metrics.json')
  assert.equal(values, number(counted) + number(head))
  const evaluated = linesOf(await succeed(['eval', '--model', 'model', '--adapter', 'pooler/adapter', '--data', 'eval.jsonl'], folder))[0]!
  assertNear([number(evaluated.loss)], [number(readJson(out, 'metrics.json').loss)], 1e-5)
})
