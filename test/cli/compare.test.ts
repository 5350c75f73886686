import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import type { Summary } from '../../src/compare/summary.ts'
import { adatune, assertSameRun, checkpoints, projectFolder, readJson, start, stepsDone, succeed, until } from './project.ts'

const folder = projectFolder()
type Settings = Readonly<Record<string, unknown>>

/** Writes a comparison for the model and data of the folder. */
function writeComparison(
  name: string,
  { train = {}, method, ...rest }: { train?: Settings; method?: Settings; [key: string]: unknown },
): void {
  const run = {
    model: 'model',
    task: 'sequence-classification',
    data: { train: 'train.jsonl', eval: 'eval.jsonl' },
    train: { epochs: 2, batchSize: 8, threads: 1, learningRate: 0.02, ...train },
    ...(method && { method }),
  }
  writeFileSync(join(folder, name), stringify({ run, resamples: 200, ...rest }))
}

const compared = async (file: string, out: string, ...args: string[]): Promise<Summary> =>
  JSON.parse(await succeed(['compare', file, '--out', out, '--json', '--quiet', ...args], folder))

const trialsOf = (out: string): string[] => {
  const root = join(folder, out, 'trials')
  return existsSync(root) ? readdirSync(root).sort() : []
}
const timesOf = (out: string): number[] => trialsOf(out).map((id) => statSync(join(folder, out, 'trials', id, 'judgement.json')).mtimeMs)

const methods = {
  LoRA: { name: 'lora', r: 4 },
  AdaLoRA: { name: 'adalora', initR: 4, targetR: 2, deltaT: 1 },
  gates: { name: 'adamix', of: { name: 'bottleneck', size: 4 }, routing: { name: 'switch' } },
}
writeComparison('compare.yaml', { axes: { method: methods, 'train.seed': [1, 2] }, learningRates: { times: [0.1, 1] }, match: 'weights' })

test('a comparison trains every arm with every seed, chooses rates, tests differences and writes what came of it', async () => {
  const summary = await compared('compare.yaml', 'whole')
  assert.deepEqual(
    summary.arms.map(({ name }) => name),
    Object.keys(methods),
  )
  assert.equal(trialsOf('whole').length, 3 * 2 + 3 * 2)
  for (const { tried, learningRate, last, best, took } of summary.arms) {
    assert.deepEqual(
      tried.map((each) => each.learningRate),
      [0.002, 0.02],
    )
    assert.ok(tried.some((each) => each.learningRate === learningRate))
    assert.ok(last.bySeed.length === 2 && best.mean >= last.mean - 1e-9 && last.interval!.high <= 1)
    assert.ok(took.trainFlops > 0 && took.peakMemoryBytes > 1e6 && took.merged <= summary.arms[0]!.took.merged)
  }
  assert.deepEqual(
    summary.differences.map(({ arm, against }) => [arm, against]),
    [
      ['AdaLoRA', 'LoRA'],
      ['gates', 'LoRA'],
    ],
  )
  assert.equal(summary.rows, 24)
  const kept = readJson(folder, 'whole', 'compare.json')
  assert.deepEqual(kept.arms, JSON.parse(JSON.stringify(summary.arms)))
  assert.equal(kept.command, 'adatune compare compare.yaml --out whole')
  // The scores of the last evaluation are those that the run itself told.
  for (const trial of kept.trials as { evaluations: { metrics: Settings }[]; last: { metrics: Settings } }[])
    assert.deepEqual(trial.last.metrics, trial.evaluations.at(-1)!.metrics)
})

/** Whether markup is well-formed: every element is closed, in order. */
function assertWellFormed(markup: string): void {
  const open: string[] = []
  for (const [, close, name, empty] of markup.matchAll(/<(\/?)([a-z][\w-]*)(?:\s+[\w:-]+="[^"<]*")*\s*(\/?)>/gi)) {
    if (close) assert.equal(open.pop(), name)
    else if (!empty) open.push(name!)
  }
  assert.deepEqual(open, [])
  const text = markup.replace(/<style>.*?<\/style>|<!doctype html>/gs, '').replace(/<\/?[a-z][\w-]*(?:\s+[\w:-]+="[^"<]*")*\s*\/?>/gi, '')
  assert.doesNotMatch(text, /[<>]/)
  assert.doesNotMatch(text, /&(?!(?:amp|lt|gt|quot|#39);)/)
}

test('the report is one well-formed page without a script or anything from elsewhere, with plots of what was compared', () => {
  const page = readFileSync(join(folder, 'whole', 'report.html'), 'utf8')
  assertWellFormed(page)
  assert.doesNotMatch(page, /<script|<link|<img|<iframe|@import|url\(|javascript:/i)
  assert.deepEqual([...new Set(page.match(/https?:[^"\s<]*/g))], ['http://www.w3.org/2000/svg'])
  const titles = [...page.matchAll(/class="title"[^>]*>([^<]*)</g)].map(([, title]) => title!)
  for (const expected of [/against weights/, /on evaluation rows, mean/, /against operations/, /training loss/, /^AdaLoRA, seed 1: ranks/])
    assert.ok(
      titles.some((title) => expected.test(title)),
      `${expected} in ${titles}`,
    )
  assert.equal(page.match(/class="cell"/g)?.length, 2 * 6 + 1, 'a cell for each of the modules that AdaLoRA ranks')
  assert.match(page, /prefers-color-scheme: dark/)
  assert.match(page, /\$ adatune compare compare\.yaml --out whole/)
})

test('a second call runs nothing and comes to the same; another seed runs alone', async () => {
  const before = { times: timesOf('whole'), trials: trialsOf('whole'), json: readJson(folder, 'whole', 'compare.json') }
  const { stderr } = await adatune(['compare', 'compare.yaml', '--out', 'whole'], folder)
  assert.match(stderr, /6 trials of learning rates: 6 are there, 0 to run\n6 trials: 6 are there, 0 to run\n/)
  assert.deepEqual({ times: timesOf('whole'), trials: trialsOf('whole'), json: readJson(folder, 'whole', 'compare.json') }, before)
  writeComparison('more.yaml', { axes: { method: { LoRA: methods.LoRA }, 'train.seed': [1, 2, 3] }, learningRates: { times: [0.1, 1] } })
  const more = await adatune(['compare', 'more.yaml', '--out', 'whole'], folder)
  assert.match(more.stderr, /\n3 trials: 2 are there, 1 to run\n/)
  assert.equal(trialsOf('whole').length, before.trials.length + 1)
})

writeComparison('long.yaml', { train: { epochs: 40, checkpointEvery: 5, evalEvery: 20 }, axes: { 'train.seed': [1, 2] }, workers: 2 })

test('a comparison that is killed goes on from the checkpoints of its trials and ends as an unbroken one', async () => {
  const { child, ended } = start(['compare', 'long.yaml', '--out', 'killed', '--quiet'], folder)
  const runs = () => trialsOf('killed').map((id) => join(folder, 'killed', 'trials', id, 'run'))
  await until(() => runs().filter((run) => checkpoints(run).length > 0).length === 2, 'checkpoints of both trials')
  child.kill('SIGKILL')
  await ended
  const done = runs().map(stepsDone)
  assert.ok(
    done.every((steps) => steps < 240),
    `killed before the end: ${done}`,
  )
  const began = runs().map((run) => statSync(join(run, 'config.json')).mtimeMs)
  const summary = await compared('long.yaml', 'killed')
  assert.deepEqual(
    runs().map((run) => statSync(join(run, 'config.json')).mtimeMs),
    began,
    'the trials were not begun anew',
  )
  const unbroken = await compared('long.yaml', 'unbroken')
  for (const id of trialsOf('unbroken')) {
    assertSameRun(join(folder, 'killed', 'trials', id, 'run'), join(folder, 'unbroken', 'trials', id, 'run'))
    assert.deepEqual(
      readJson(folder, 'killed', 'trials', id, 'judgement.json'),
      readJson(folder, 'unbroken', 'trials', id, 'judgement.json'),
    )
  }
  assert.deepEqual(summary.arms[0]!.last, unbroken.arms[0]!.last)
})

test('Ctrl-C lets trials write a checkpoint, and no second comparison works in the folder meanwhile', async () => {
  const { child, ended } = start(['compare', 'long.yaml', '--out', 'stopped'], folder)
  await until(() => trialsOf('stopped').some((id) => stepsDone(join(folder, 'stopped', 'trials', id, 'run')) > 3), 'some updates')
  const second = await adatune(['compare', 'long.yaml', '--out', 'stopped'], folder)
  assert.equal(second.code, 2)
  assert.match(second.stderr, /Process \d+ is at work in stopped/)
  child.kill('SIGINT')
  const { code, stderr } = await ended
  assert.equal(code, 130)
  assert.match(stderr, /Stopped\. The same command goes on from here: adatune compare long\.yaml --out stopped/)
  const [id] = trialsOf('stopped')
  assert.ok(checkpoints(join(folder, 'stopped', 'trials', id!, 'run')).length > 0)
  assert.ok(!existsSync(join(folder, 'stopped', 'report.html')))
})

test('a dry run tells the trials and writes nothing', async () => {
  const text = await succeed(['compare', 'compare.yaml', '--out', 'dry', '--dry-run'], folder)
  assert.match(text, /^LoRA +\d+ +12 +[\d.]+ MFLOP +\d+ MB +[\d.]+ s +4$/m)
  assert.match(text, /\n12 trials, 6 of them to choose learning rates; [\d.]+ [MG]FLOP/)
  const { arms, trials, tries, flops, flopsPerSecond, workers, seconds } = JSON.parse(
    await succeed(['compare', 'compare.yaml', '--out', 'dry', '--dry-run', '--json'], folder),
  )
  assert.deepEqual(
    arms.map((arm: { name: string; steps: number; trials: number }) => [arm.name, arm.steps, arm.trials]),
    Object.keys(methods).map((name) => [name, 12, 4]),
  )
  assert.deepEqual([trials, tries], [12, 6])
  assert.ok(Math.abs(seconds * workers * flopsPerSecond - flops) < 1e-6 * flops)
  assert.ok(!existsSync(join(folder, 'dry')))
})

test('what is wrong is told with its place, and trials that fail by their names', async () => {
  const fails = async (file: string, expected: RegExp): Promise<void> => {
    const { code, stderr } = await adatune(['compare', file, '--out', 'bad', '--quiet'], folder)
    assert.match(stderr, expected)
    assert.equal(code, 2)
  }
  writeComparison('bad.yaml', { axes: { method: ['lora'] }, lerningRates: null })
  await fails('bad.yaml', /bad\.yaml:\d+: the key "lerningRates" is not known\. Did you mean "learningRates"/)
  writeComparison('bad.yaml', { axes: { method: ['lora', { name: 'lora', rr: 3 }] } })
  await fails('bad.yaml', /bad\.yaml:\d+: the key "method\.rr" is not known/)
  writeComparison('bad.yaml', { axes: { method: ['lora'] }, metric: 'acuracy' })
  await fails('bad.yaml', /metric: sequence-classification has no metric "acuracy" .*Did you mean "accuracy"/)
  assert.deepEqual(trialsOf('bad'), [])
  writeComparison('bad.yaml', {
    axes: { 'train.learningRate': [0.01, 1e30] },
    method: { name: 'full' },
    train: { steps: 30, schedule: 'constant', warmupRatio: 0 },
  })
  await fails(
    'bad.yaml',
    /1 of 2 trials failed; the others are kept for the next call\.\nlearningRate-1e-30-seed-1-\w+: The loss is not a finite number/,
  )
  await fails('none.yaml', /The comparison none\.yaml does not exist/)
  writeFileSync(join(folder, 'eval.jsonl'), readFileSync(join(folder, 'train.jsonl')))
  const { code, stderr } = await adatune(['compare', 'compare.yaml', '--out', 'whole', '--quiet'], folder)
  assert.match(stderr, /eval\.jsonl has changed since LoRA-seed-1-\w+ in whole; compare in another folder/)
  assert.equal(code, 2)
})
