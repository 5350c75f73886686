import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRows } from '../../src/data/read-rows.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import { openAdapters } from '../../src/merging/open-adapters.ts'
import { readHeader, readTensor } from '../../src/weights/safetensors.ts'
import { assertNear } from '../behaviour/tiny-model.ts'
import { command, eventsOf, jsonLines, projectFolder, readJson, succeed, tokenRows, writeModel, writeRun } from './project.ts'

const folder = projectFolder()
writeFileSync(join(folder, 'other.jsonl'), jsonLines(tokenRows(24, 'other')))
type Settings = Parameters<typeof writeRun>[2]

async function trained(name: string, settings: Settings): Promise<void> {
  writeRun(folder, `${name}.yaml`, { ...settings, train: { steps: 6, learningRate: 0.05, ...settings.train } })
  const { code, stderr } = await command(['train', `${name}.yaml`, '--out', name, '--quiet'], folder)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
}

const lora = { name: 'lora', r: 2 }
const adalora = { name: 'adalora', initR: 3, targetR: 1, deltaT: 1, tInit: 0.1, tFinal: 0.3 }
const runs = (async () => {
  await trained('a', { method: lora, train: { seed: 1 } })
  await trained('b', { method: { ...lora, r: 3, alpha: 5, targets: ['query', 'up'] }, train: { seed: 2 } })
  await trained('c', { method: lora, train: { seed: 3 } })
  await trained('ada', { method: adalora, train: { seed: 4 } })
  await trained('pfeiffer', { method: { name: 'bottleneck', size: 3 } })
  await trained('mixed', { method: { name: 'adamix', of: lora, experts: 3 } })
  await trained('prompt', { method: { name: 'prompt', tokens: 3 } })
  await trained('mixed-biases', { method: { name: 'adamix', of: { name: 'bitfit' }, experts: 2 } })
  await trained('bitfit', { method: { name: 'bitfit' } })
  await trained('bitfit2', { method: { name: 'bitfit' }, train: { seed: 2 } })
})()

const adaptersOf = (...names: string[]): string[] => names.flatMap((name) => ['--adapter', `${name}/adapter`])
const combine = (names: string[], ...flags: string[]): Promise<string> =>
  succeed(['combine', '--model', 'model', ...adaptersOf(...names), ...flags], folder)
async function logits(adapter: string, model = 'model'): Promise<number[]> {
  const predictor = await openPredictor({ model: join(folder, model), adapter: join(folder, adapter) })
  const answers = await predictor.predict(await readRows(join(folder, 'eval.jsonl')), { logits: true })
  await predictor.close()
  return answers.flatMap(({ logits }) => logits as number[])
}
const tensorsIn = (adapter: string, file = 'adapter_model.safetensors'): Map<string, Float32Array> =>
  new Map([...readHeader(join(folder, adapter, file)).tensors].map(([name, entry]) => [name, readTensor(entry)]))

test('convert makes LoRA of AdaLoRA that answers alike, at the ranks that were kept', async () => {
  await runs
  const said = await succeed(['convert', '--model', 'model', '--adapter', 'ada/adapter', '--out', 'plain'], folder)
  assert.match(said, /^LoRA in \d+ modules, ranks up to [123], in plain; on 8 rows its logits differ by at most \S+ of the largest\.\n$/)
  const config = readJson(folder, 'plain', 'adapter_config.json')
  const kept = readJson(folder, 'ada/adapter', 'adapter_config.json').rank_pattern as Record<string, boolean[]>
  const ranks = Object.values(kept).map((list) => list.filter(Boolean).length)
  assert.deepEqual([config.peft_type, config.r, config.lora_alpha], ['LORA', Math.max(...ranks), Math.max(...ranks)])
  const stored = readHeader(join(folder, 'plain', 'adapter_model.safetensors')).tensors
  const found = [...stored].filter(([name]) => name.includes('lora_A')).map(([, { shape }]) => shape[0]!)
  assert.deepEqual(found.sort(), ranks.filter((rank) => rank > 0).sort())
  assertNear(await logits('plain'), await logits('ada/adapter'), 1e-5)
})

test('unmerge gives back the model that an adapter was merged into', async () => {
  await runs
  await succeed(['merge', '--model', 'model', ...adaptersOf('a'), '--out', 'merged'], folder)
  const said = await succeed(['unmerge', '--model', 'merged', ...adaptersOf('a'), '--out', 'unmerged'], folder)
  assert.match(said, /^Unmerged into unmerged; with the adapter on 8 rows its logits differ by at most/)
  const [before, after] = [tensorsIn('model', 'model.safetensors'), tensorsIn('unmerged', 'model.safetensors')]
  for (const [name, data] of before) assertNear(after.get(name)!, data, 1e-6, name)
  assertNear(await logits('a/adapter', 'unmerged'), await logits('a/adapter'), 1e-5)
})

test('cat of other ranks and targets answers as svd at full rank, and both as the sum of what is merged', async () => {
  await runs
  const both = ['--weights', '0.8,0.2']
  await combine(['a', 'b'], '--rule', 'cat', ...both, '--out', 'cat')
  await combine(['a', 'b'], '--rule', 'svd', '--rank', '5', ...both, '--out', 'svd')
  const expected = await logits('cat')
  assertNear(await logits('svd'), expected, 1e-4)
  // The weights of a model with the first and with the second, mixed.
  for (const name of ['a', 'b']) await succeed(['merge', '--model', 'model', ...adaptersOf(name), '--out', `with-${name}`], folder)
  await succeed(['merge', '--model', 'model', '--adapter', 'cat', '--out', 'with-cat'], folder)
  const [a, b, cat] = ['with-a', 'with-b', 'with-cat'].map((name) => tensorsIn(name, 'model.safetensors'))
  for (const [name, data] of cat!)
    assertNear(
      data,
      data.map((_, i) => 0.8 * a!.get(name)![i]! + 0.2 * b!.get(name)![i]!),
      1e-5,
      name,
    )
})

test('PEFT rules, means and a conversion on the way all give adapters that answer', async () => {
  await runs
  const flags: Record<string, string[]> = {
    linear: [],
    ties: ['--density', '0.5', '--sign', 'frequency'],
    'dare-linear': ['--density', '0.5', '--seed', '3'],
    'dare-ties-svd': ['--density', '0.5', '--rank', '1'],
    'magnitude-prune': ['--density', '0.5'],
    mean: [],
    'delta-mean': [],
    'delta-svd': ['--rank', '1'],
  }
  const seen = new Set<string>()
  for (const [rule, given] of Object.entries(flags)) {
    assert.equal(
      await combine(['a', 'c'], '--rule', rule, ...given, '--out', `of-${rule}`),
      `Combined 2 adapters by ${rule} in of-${rule}.\n`,
    )
    seen.add((await logits(`of-${rule}`)).join())
  }
  assert.equal(seen.size, Object.keys(flags).length)
  await combine(['a', 'ada'], '--rule', 'svd', '--out', 'with-adalora')
  assert.equal(readJson(folder, 'with-adalora', 'adapter_config.json').r, 3)
  const again = await combine(['a', 'c'], '--rule', 'dare-linear', '--density', '0.5', '--seed', '3', '--out', 'drawn-again')
  assert.match(again, /drawn-again/)
  assertNear(await logits('drawn-again'), await logits('of-dare-linear'), 0)
})

test('the mean of an adapter with itself is the adapter, whatever the method', async () => {
  await runs
  for (const name of ['a', 'ada', 'pfeiffer', 'bitfit', 'prompt']) {
    await combine([name, name], '--rule', 'mean', '--out', `same-${name}`)
    assertNear(await logits(`same-${name}`), await logits(`${name}/adapter`), 1e-6)
  }
})

test("the mean of a mixture's experts is what the mixture merged into; other rules take them, too", async () => {
  await runs
  const experts = (rule: string, ...flags: string[]): Promise<string> =>
    succeed(['combine', '--model', 'model', '--experts', 'mixed', '--rule', rule, ...flags, '--out', `experts-${rule}`], folder)
  assert.match(await experts('mean'), /^Combined 3 adapters by mean/)
  const merged = await logits('mixed/adapter')
  assertNear(await logits('experts-mean'), merged, 1e-6)
  // B is shared, so that the mean of the products is the product of the means.
  await experts('delta-mean')
  assertNear(await logits('experts-delta-mean'), merged, 1e-5)
  const said = await experts('soup', '--data', 'eval.jsonl', '--report')
  assert.match(said, /kept: expert [012] of mixed.*\nexpert 0 of mixed and expert 1 of mixed: \S+ apart in increments/)
  await succeed(['combine', '--model', 'model', '--experts', 'mixed-biases', '--rule', 'mean', '--out', 'biases-mean'], folder)
  assertNear(await logits('biases-mean'), await logits('mixed-biases/adapter'), 1e-6)
  const { stderr } = await command(['combine', '--model', 'model', '--experts', 'a', '--rule', 'mean', '--out', 'refused'], folder)
  assert.match(stderr, /a holds no experts to combine: there is no a\/experts\.safetensors/)
})

test('a greedy soup does no worse than its best member', async () => {
  await runs
  const flags = ['--rule', 'soup', '--data', 'eval.jsonl', '--metric', 'loss', '--json']
  const scoreOf = async (adapter: string): Promise<number> =>
    Number(eventsOf(await succeed(['eval', '--model', 'model', '--adapter', adapter, '--data', 'eval.jsonl'], folder))[0]!.loss)
  for (const members of [
    ['a', 'c'],
    ['bitfit', 'bitfit2', 'bitfit'],
  ]) {
    const out = `soup-${members[0]}`
    const { told } = JSON.parse(await combine(members, ...flags, '--out', out)) as { told: { kept: string[] } }
    const alone = await Promise.all(members.map((name) => scoreOf(`${name}/adapter`)))
    const best = `${members[alone.indexOf(Math.min(...alone))]}/adapter`
    assert.equal(told.kept[0], best)
    assert.ok((await scoreOf(out)) <= Math.min(...alone) + 1e-6)
  }
})

test('fisher of equals is their mean, of others it is not, and draws the same with the same seed', async () => {
  await runs
  const data = ['--data', 'eval.jsonl']
  await combine(['a', 'a'], '--rule', 'fisher', ...data, '--out', 'fisher-same')
  assertNear(await logits('fisher-same'), await logits('a/adapter'), 1e-6)
  await combine(['prompt', 'prompt'], '--rule', 'fisher', ...data, '--out', 'fisher-prompt')
  assertNear(await logits('fisher-prompt'), await logits('prompt/adapter'), 1e-6)
  await combine(['a', 'c'], '--rule', 'fisher', ...data, '--data', 'other.jsonl', '--out', 'fisher')
  await combine(['a', 'c'], '--rule', 'fisher', ...data, '--data', 'other.jsonl', '--out', 'fisher-again')
  const given = await logits('fisher')
  assertNear(await logits('fisher-again'), given, 0)
  await combine(['a', 'c'], '--rule', 'mean', '--out', 'mean-ac')
  const mean = await logits('mean-ac')
  assert.ok(given.some((value, i) => Math.abs(value - mean[i]!) > 1e-4))
})

test('the report measures distances, the gap of logits and the loss on the way', async () => {
  await runs
  interface Report {
    readonly measured: string
    readonly distances: { frobenius: number; relative: number }[]
    readonly logitGap: { mean: number; largest: number }
    readonly path: { at: number; loss: number }[]
  }
  const report = async (names: string[], out: string): Promise<Report> => {
    const flags = ['--rule', 'delta-mean', '--report', '--data', 'eval.jsonl', '--json', '--out', out]
    return (JSON.parse(await combine(names, ...flags)) as { report: Report }).report
  }
  const same = await report(['a', 'a'], 'report-same')
  assert.deepEqual([same.measured, same.distances[0]!.frobenius], ['increments', 0])
  assert.ok(same.logitGap.largest < 1e-5)
  const losses = new Set(same.path.map(({ loss }) => loss.toFixed(5)))
  assert.equal(losses.size, 1)
  const { distances, path } = await report(['a', 'c'], 'report-other')
  assert.ok(distances[0]!.frobenius > 0 && distances[0]!.relative > 0)
  assert.deepEqual([path.length, path[0]!.at, path[10]!.at], [11, 0, 1])
  for (const [name, { loss }] of [
    ['a', path[0]!],
    ['c', path[10]!],
  ] as const) {
    const [line] = eventsOf(await succeed(['eval', '--model', 'model', ...adaptersOf(name), '--data', 'eval.jsonl'], folder))
    assertNear([loss], [Number(line!.loss)], 1e-5)
  }
  assert.deepEqual((await report(['a', 'b'], 'report-ranks')).path, null)
  const text = await combine(['bitfit', 'bitfit2'], '--rule', 'mean', '--report', '--out', 'report-text')
  assert.match(text, /bitfit\/adapter and bitfit2\/adapter: \S+ apart in tensors, \S+ of their size\n$/)
})

test('several adapters on one model answer as each alone does, one session for each shape', async () => {
  await runs
  const rows = await readRows(join(folder, 'eval.jsonl'))
  const at = (name: string): string => join(folder, name)
  const model = await openAdapters({ model: at('model') })
  const given = async (): Promise<number[]> => (await model.predict(rows, { logits: true })).flatMap(({ logits }) => logits as number[])
  await assert.rejects(model.predict(rows), /No adapter is loaded/)
  for (const name of ['a', 'b', 'c', 'pfeiffer', 'ada']) model.load(name, at(`${name}/adapter`))
  assert.throws(() => model.load('a', at('b/adapter')), /There is an adapter "a" already/)
  assertNear(await given(), await logits('a/adapter'), 1e-6)
  for (const name of ['c', 'b', 'a', 'pfeiffer', 'ada', 'c']) {
    model.use(name)
    assertNear(await given(), await logits(`${name}/adapter`), 1e-6, name)
  }
  assert.deepEqual([model.names, model.sessions], [['a', 'b', 'c', 'pfeiffer', 'ada'], 4])
  await combine(['a', 'b'], '--rule', 'cat', '--weights', '0.6,0.9', '--out', 'summed')
  await model.sum(['a', 'b'], [0.6, 0.9])
  assertNear(await given(), await logits('summed'), 1e-6)
  const { accuracy } = await model.evaluate(rows)
  assert.ok(accuracy! >= 0 && accuracy! <= 1)
  await assert.rejects(model.sum(['a', 'pfeiffer']), /is bottleneck, whose tensors are no factors/)
  await assert.rejects(model.sum(['a'], []), /0 weight\(s\) for 1 adapters/)
  assert.throws(() => model.use('d'), /There is no adapter "d"; loaded are a, b, c, pfeiffer, ada/)
  assert.throws(() => model.use(null), /has no head for sequence-classification/)
  await model.close()

  writeModel(at('headed'), { classes: ['no', 'yes'] })
  const bare = await openAdapters({ model: at('headed'), task: 'sequence-classification' })
  bare.use(null)
  const alone = await openPredictor({ model: at('headed'), task: 'sequence-classification' })
  assert.deepEqual(await bare.predict(rows), await alone.predict(rows))
  await bare.close()
  await alone.close()
})

const wrong: readonly (readonly [string, string[], RegExp])[] = [
  ['an unknown rule', ['a', 'c', '--rule', 'tie'], /There is no rule "tie"; .*Did you mean "ties"/],
  ['a single adapter', ['a', '--rule', 'cat'], /needs two adapters or more/],
  ['weights of another number', ['a', 'c', '--rule', 'cat', '--weights', '1'], /1 weight\(s\) for 2 adapters/],
  ['weights that are no numbers', ['a', 'c', '--rule', 'cat', '--weights', '1,x'], /--weights x: expected a number/],
  ['a setting that the rule lacks', ['a', 'c', '--rule', 'cat', '--density', '0.5'], /The rule cat has no density; it takes weights/],
  ['no density', ['a', 'c', '--rule', 'ties'], /needs a density/],
  ['a density above 1', ['a', 'c', '--rule', 'ties', '--density', '2'], /density is 2; expected/],
  ['no data', ['a', 'c', '--rule', 'soup'], /learns from data: give --data/],
  [
    'an unknown metric',
    ['a', 'c', '--rule', 'soup', '--data', 'eval.jsonl', '--metric', 'bleu'],
    /--metric bleu: sequence-classification has/,
  ],
  ['other ranks', ['a', 'b', '--rule', 'linear'], /query has the ranks 2 and 3, .*use cat/],
  ['a mean of other methods', ['a', 'pfeiffer', '--rule', 'mean'], /is lora and pfeiffer\/adapter bottleneck/],
  ['a mean of other forms', ['a', 'b', '--rule', 'mean'], /were made with .*alpha/],
  ['increments of a bottleneck', ['pfeiffer', 'pfeiffer', '--rule', 'cat'], /is bottleneck, whose tensors are no factors/],
  ['a head with a negative weight', ['a', 'c', '--rule', 'cat', '--weights', '1,-1'], /weight of 0 or less; .*--head first/],
  ['a mean of weights that sum to nothing', ['a', 'c', '--rule', 'mean', '--weights', '1,-1', '--head', 'first'], /sum to 0/],
  ['a folder in use', ['a', 'c', '--rule', 'cat', '--out', 'a'], /a is not empty/],
]
for (const [what, [...given], says] of wrong) {
  test(`combine refuses ${what}`, async () => {
    await runs
    const names = given.splice(0, given.indexOf('--rule'))
    const out = given.includes('--out') ? [] : ['--out', 'refused']
    const { code, stderr } = await command(['combine', '--model', 'model', ...adaptersOf(...names), ...given, ...out], folder)
    assert.match(stderr, says)
    assert.match(stderr, /^adatune: [^\n]+[.?]\n$/)
    assert.equal(code, 2)
    assert.equal(existsSync(join(folder, 'refused')), false)
  })
}

test('heads of other labels are refused, or the first is kept', async () => {
  await runs
  await trained('reg', { task: 'regression', method: lora, data: { train: 'numbers.jsonl', eval: null } })
  const flags = ['--rule', 'cat', '--out', 'first-head']
  const { stderr } = await command(['combine', '--model', 'model', ...adaptersOf('a', 'reg'), ...flags], folder)
  assert.match(stderr, /Heads cannot be averaged: a\/adapter is for sequence-classification with no, yes, reg\/adapter for regression/)
  await combine(['a', 'reg'], ...flags, '--head', 'first')
  const [mine, first] = [tensorsIn('first-head'), tensorsIn('a/adapter')]
  for (const [name, data] of first) if (name.includes('classifier')) assertNear(mine.get(name)!, data, 0)
  const soup = await combine(['a', 'reg'], '--rule', 'soup', '--data', 'eval.jsonl', '--head', 'first', '--out', 'first-soup')
  assert.match(soup, /kept: /)
  await combine(
    ['a', 'reg'],
    '--rule',
    'fisher',
    '--head',
    'first',
    '--data',
    'eval.jsonl',
    '--data',
    'numbers.jsonl',
    '--out',
    'two-tasks',
  )
  assert.ok(readdirSync(join(folder, 'two-tasks')).includes('adapter_model.safetensors'))
})
writeFileSync(
  join(folder, 'numbers.jsonl'),
  jsonLines(tokenRows(24, 'numbers').map(({ input_ids }) => ({ input_ids, label: (input_ids as number[]).length / 10 }))),
)

const foldings: readonly (readonly [string, string, string, RegExp])[] = [
  ['convert', 'model', 'a', /a\/adapter is plain LoRA already/],
  ['convert', 'model', 'pfeiffer', /is bottleneck, whose tensors are no factors/],
  ['unmerge', 'model', 'bitfit', /bitfit\/adapter trained "\S+\.bias" whole/],
  ['unmerge', 'model', 'a', /model has no head for sequence-classification/],
]
for (const [name, model, adapter, says] of foldings) {
  test(`${name} of ${adapter} out of ${model} is refused`, async () => {
    await runs
    const { code, stderr } = await command([name, '--model', model, ...adaptersOf(adapter), '--out', 'refused'], folder)
    assert.match(stderr, says)
    assert.deepEqual([code, existsSync(join(folder, 'refused'))], [2, false])
  })
}

test('unmerge refuses an adapter that was not merged into the model', async () => {
  await runs
  await succeed(['merge', '--model', 'model', ...adaptersOf('c'), '--out', 'merged-c'], folder)
  const { code, stderr } = await command(['unmerge', '--model', 'merged-c', ...adaptersOf('a'), '--out', 'refused'], folder)
  assert.match(stderr, /logits of the result differ by at most \S+ of the largest; nothing was written/)
  assert.deepEqual([code, existsSync(join(folder, 'refused'))], [2, false])
})
