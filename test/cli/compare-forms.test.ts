import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import type { Summary } from '../../src/compare/summary.ts'
import { adatune, command, projectFolder, readJson, succeed } from './project.ts'
import { writerFolder, writers } from './writing-project.ts'

const folder = projectFolder()
const run = {
  model: 'model',
  task: 'sequence-classification',
  data: { train: 'train.jsonl', eval: 'eval.jsonl' },
  train: { steps: 12, batchSize: 8, threads: 1, learningRate: 0.02 },
}
const write = (comparison: object): void => writeFileSync(join(folder, 'compare.yaml'), stringify({ run, resamples: 200, ...comparison }))
const compared = async (...args: string[]): Promise<Summary> =>
  JSON.parse(await succeed(['compare', 'compare.yaml', '--json', '--quiet', ...args], folder))
const trialsOf = (out: string): string[] => readdirSync(join(folder, out, 'trials'))

test('texts that arms write are compared with intervals over the texts', async () => {
  const writer = writerFolder(writers.gpt2!)
  const comparison = {
    run: {
      model: 'model',
      task: 'causal-lm',
      data: { train: 'rows.jsonl', eval: 'rows.jsonl', columns: { text: 'mr', label: 'ref' } },
      train: { batchSize: 4, steps: 120, learningRate: 5e-3, schedule: 'constant', evalEvery: 'end' },
      generate: { metric: ['rougeL', 'bleu'], rows: 3, maxNewTokens: 12 },
    },
    axes: { settings: { little: { method: { name: 'full' }, 'train.learningRate': 1e-6 }, whole: { method: { name: 'full' } } } },
    resamples: 200,
  }
  writeFileSync(join(writer, 'compare.yaml'), stringify(comparison))
  const [text, bleu] = [
    JSON.parse(await succeed(['compare', 'compare.yaml', '--out', 'texts', '--json', '--quiet'], writer)) as Summary,
    JSON.parse(
      await succeed(['compare', 'compare.yaml', '--out', 'texts', '--json', '--quiet', '--set', 'metric=bleu'], writer),
    ) as Summary,
  ]
  assert.deepEqual([text.metric, text.rows, bleu.metric, bleu.rows], ['rougeL', 3, 'bleu', 3])
  const [little, whole] = text.arms.map(({ last }) => last)
  assert.ok(whole!.interval!.low <= whole!.mean && whole!.mean <= whole!.interval!.high)
  assert.ok(whole!.mean > little!.mean, `${whole!.mean} of what learns it by heart, ${little!.mean} of what cannot`)
  assert.ok(text.differences[0]!.interval!.low > 0)
  const { last, evaluations } = (
    readJson(writer, 'texts/compare.json').trials as [{ last: { metrics: object }; evaluations: object[] }]
  )[0]!
  assert.deepEqual(last.metrics, (evaluations.at(-1) as { metrics: object }).metrics)
  const accuracy = JSON.parse(
    await succeed(['compare', 'compare.yaml', '--out', 'texts', '--json', '--quiet', '--set', 'metric=accuracy'], writer),
  )
  assert.equal(accuracy.rows, 4, 'not of the texts')
})

const ranked = { name: 'adalora', initR: 4, targetR: 2, deltaT: 1, tInit: 2, tFinal: 4 }
const replayed = { name: 'adalora', initR: 4, targetR: 2, selection: 'replay', ranks: { trial: 'AdaLoRA' } }
/** The last ranks of a trial. */
const ranksOf = (out: string, id: string): unknown =>
  readFileSync(join(folder, out, 'trials', id, 'run/run.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .findLast(({ event }) => event === 'ranks').ranks

test('an arm takes what the trial of another with the same seed left, which is run first; a change there makes new trials of both', async () => {
  const axes = { method: { replayed, AdaLoRA: ranked }, 'train.seed': [1, 2] }
  write({ axes })
  const summary = await compared('--out', 'taken')
  assert.deepEqual(
    summary.arms.map(({ name }) => name),
    ['replayed', 'AdaLoRA'],
  )
  const ids = trialsOf('taken')
  const of = (arm: string, seed: number): string => ids.find((id) => id.startsWith(`${arm}-seed-${seed}-`))!
  for (const seed of [1, 2]) assert.deepEqual(ranksOf('taken', of('replayed', seed)), ranksOf('taken', of('AdaLoRA', seed)))
  assert.notDeepEqual(ranksOf('taken', of('AdaLoRA', 1)), ranksOf('taken', of('AdaLoRA', 2)))
  const again = await adatune(['compare', 'compare.yaml', '--out', 'taken'], folder)
  assert.match(again.stderr, /\n4 trials: 4 are there, 0 to run\n/)
  write({ axes: { ...axes, method: { replayed, AdaLoRA: { ...ranked, deltaT: 2 } } } })
  const changed = await adatune(['compare', 'compare.yaml', '--out', 'taken'], folder)
  assert.match(changed.stderr, /2 trials: 0 are there, 2 to run\n.*\n4 trials: 2 are there, 2 to run\n/s)
})

test('what cannot be taken is told before anything runs', async () => {
  const refuses = async (comparison: object, expected: RegExp): Promise<void> => {
    write(comparison)
    const { code, stderr } = await command(['compare', 'compare.yaml', '--out', 'refused', '--quiet'], folder)
    assert.match(stderr, expected)
    assert.equal(code, 2)
    assert.ok(!existsSync(join(folder, 'refused/trials')))
  }
  const taking = (trial: string) => ({ ...replayed, ranks: { trial } })
  await refuses(
    { axes: { method: { replayed: taking('Adalora'), AdaLoRA: ranked } } },
    /no other arm has that value.*Did you mean "AdaLoRA"/,
  )
  await refuses(
    { axes: { method: { a: taking('b'), b: taking('AdaLoRA'), AdaLoRA: ranked } } },
    /a takes a result of b, which takes one of another/,
  )
  await refuses(
    { axes: { method: { replayed, AdaLoRA: ranked } }, learningRates: { times: [1, 3] } },
    /learningRates: replayed takes the result of a run on all training rows/,
  )
  const waiting = { AdaLoRA: { method: ranked }, replayed: { method: replayed, 'train.keepBest': 'acuracy' } }
  await refuses({ axes: { settings: waiting } }, /^adatune: replayed: train\.keepBest: .*no metric "acuracy"/)
  const two = { 'train.batchSize': { AdaLoRA: 4, other: 8 }, method: { replayed, AdaLoRA: ranked } }
  await refuses({ axes: two }, /takes a result of "AdaLoRA", which is/)
})

test('a file has a short form, whose faults are told where they stand', async () => {
  const quick = { run: { train: { steps: 3 }, data: { rows: { eval: 10 } } }, axes: { 'train.seed': [1] } }
  const axes = { method: ['lora'], 'train.seed': [1, 2, 3] }
  write({ axes, quick })
  const short = await compared('--out', 'quick', '--quick')
  assert.deepEqual([short.rows, short.seeds, short.arms[0]!.took.steps], [10, [1], 3])
  assert.match(String(readJson(folder, 'quick/compare.json').command), /^adatune compare compare\.yaml --quick --out quick$/)
  assert.match(await succeed(['compare', 'compare.yaml', '--dry-run'], folder), /\n3 trials; /)
  const set = await succeed(['compare', 'compare.yaml', '--quick', '--dry-run', '--set', 'run.train.steps=4'], folder)
  assert.match(set, /^lora +[\d,]+ +4 /m)
  const fails = async (expected: RegExp): Promise<void> => {
    const { code, stderr } = await command(['compare', 'compare.yaml', '--quick', '--dry-run'], folder)
    assert.match(stderr, expected)
    assert.equal(code, 2)
  }
  write({ axes, quick: { run: { train: { step: 3 } } } })
  await fails(/compare\.yaml:2\d: the key "train\.step" is not known/)
  write({ axes, quick: { seeds: 2 } })
  await fails(/compare\.yaml:2\d: the key "seeds" is not known/)
  write({ axes })
  await fails(/no short form is given; write what it changes as "quick"/)
})

test('a dry run estimates the time by updates that it makes, and by finished trials where there are some', async () => {
  write({ axes: { method: ['lora', 'bitfit'] } })
  const dry = (): Promise<string> => succeed(['compare', 'compare.yaml', '--out', 'paced', '--dry-run'], folder)
  assert.match(await dry(), /\nabout [\d.]+ s at [\d.]+ [MG]FLOP\/s a trial \(\d+ updates of lora; evaluations come on top\)\n$/)
  assert.ok(!existsSync(join(folder, 'paced')))
  await compared('--out', 'paced')
  assert.match(await dry(), /FLOP\/s a trial \(2 finished trials, evaluations included\)\n$/)
  write({ axes: { method: ['lora'] }, run: { ...run, data: { train: 'none.jsonl', eval: 'none.jsonl', labels: ['no', 'yes'] } } })
  assert.match(await dry(), /2 finished trials/)
  const unknown = await succeed(['compare', 'compare.yaml', '--out', 'other', '--dry-run'], folder)
  assert.match(unknown, /\nhow long is not known: .*none\.jsonl/)
})

test('the best evaluation is the best by the metric that is compared', async () => {
  type Scored = { step: number; metrics: { loss: number } }
  const bestStep = async (metric: string | null): Promise<number> => {
    write({ axes: {}, run: { ...run, train: { ...run.train, evalEvery: 3, learningRate: 1e-3 } }, metric, by: 'best' })
    await compared('--out', `best by ${metric}`)
    const [{ best, evaluations }] = readJson(folder, `best by ${metric}`, 'compare.json').trials as [
      { best: Scored; evaluations: Scored[] },
    ]
    if (metric === 'loss') assert.equal(best.metrics.loss, Math.min(...evaluations.map(({ metrics }) => metrics.loss)))
    return best.step
  }
  assert.notEqual(await bestStep('loss'), await bestStep(null), 'rows of which as many are right as before may be likelier')
})

test('trials of a model that has changed since are compared with no others, until it is what it was', async () => {
  const weights = join(folder, 'model/model.safetensors')
  const before = readFileSync(weights)
  write({ axes: { method: ['lora'] } })
  await compared('--out', 'models')
  write({ axes: { method: ['lora', 'bitfit'] } })
  writeFileSync(
    weights,
    before.map((byte, i) => (i === before.length - 4 ? byte ^ 1 : byte)),
  )
  const changed = await command(['compare', 'compare.yaml', '--out', 'models', '--quiet'], folder)
  writeFileSync(weights, before)
  assert.match(changed.stderr, /^adatune: model has changed since lora-seed-1-\w+ in models; compare in another folder, with --out\.$/m)
  assert.deepEqual([changed.code, trialsOf('models').length], [2, 1])
  assert.match((await adatune(['compare', 'compare.yaml', '--out', 'models'], folder)).stderr, /\n?2 trials: 1 are there, 1 to run\n/)
})

test('ranges of rows are parts of a file, and what is not there is refused', async () => {
  write({
    axes: { 'train.seed': [1] },
    run: { ...run, data: { train: 'train.jsonl', eval: 'train.jsonl', rows: { train: [10, 48], eval: 10 } } },
    learningRates: { times: [0.5, 1], heldOut: 0.5 },
  })
  assert.equal((await compared('--out', 'rows')).rows, 10)
  const held = readdirSync(join(folder, 'rows/held-out')).map((name) =>
    readFileSync(join(folder, 'rows/held-out', name), 'utf8')
      .trim()
      .split('\n'),
  )
  assert.deepEqual(
    held.map((lines) => lines.length),
    [19, 19],
  )
  const first = readFileSync(join(folder, 'train.jsonl'), 'utf8').split('\n').slice(0, 10)
  assert.ok(!held.flat().some((line) => first.includes(line)), 'rows to compare on are not among those to choose by')
  const fails = async (rows: object, expected: RegExp): Promise<void> => {
    write({ axes: {}, run: { ...run, data: { ...run.data, rows } } })
    const { stderr } = await command(['compare', 'compare.yaml', '--dry-run'], folder)
    assert.match(stderr, expected)
  }
  await fails({ eval: 25 }, /data\.rows\.eval: eval\.jsonl has 24 rows, and row 25 is asked for/)
  await fails({ train: [5, 5] }, /data\.rows\.train: \[5, 5\] holds no row/)
})

test('routes of a mixture are arms: an expert answers as its run says of it alone, and routes of what is not kept are refused', async () => {
  const mixed = { ...run, method: { name: 'adamix', of: { name: 'bottleneck', size: 4 }, experts: 3 } }
  const comparison = (inference: readonly string[], train: object = {}): object => ({
    run: { ...mixed, train: { ...run.train, evalEvery: 'end', ...train } },
    axes: { inference },
  })
  write(comparison(['merged', 'expert:1', 'ensemble:4']))
  const { arms, differences } = await compared('--out', 'routes')
  const [expert] = trialsOf('routes').filter((id) => id.startsWith('inference-expert-1'))
  const { members, merged } = readFileSync(join(folder, 'routes/trials', expert!, 'run/run.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .find(({ event }) => event === 'merge')
  const updatesOf = (id: string): string[] =>
    readFileSync(join(folder, 'routes/trials', id, 'run/run.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"event":"step"'))
  const [trained, ...others] = trialsOf('routes').toSorted((a) => (a.startsWith('inference-merged') ? -1 : 1))
  // The same times of the same updates: they were made once.
  for (const other of others) assert.deepEqual(updatesOf(other), updatesOf(trained!))
  assert.ok(updatesOf(trained!).length > 0)
  const losses = arms.map(({ metrics }) => metrics.last.loss!)
  assert.ok(Math.abs(losses[0]! - merged.loss) < 1e-6, `${losses[0]} as merged, ${merged.loss}`)
  assert.ok(Math.abs(losses[1]! - members[1].loss) < 1e-6, `${losses[1]} of the expert, ${members[1].loss}`)
  assert.notEqual(losses[1], losses[0])
  assert.notEqual(losses[2], losses[0])
  assert.deepEqual(
    differences.map(({ arm }) => arm),
    ['inference expert:1', 'inference ensemble:4'],
  )
  write(comparison(['merged', 'experts']))
  const { stderr } = await command(['compare', 'compare.yaml', '--out', 'refused', '--quiet'], folder)
  assert.match(stderr, /The inference "experts" is not known; there are merged/)
})
