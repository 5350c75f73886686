import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseRun } from '../../src/config/parse.ts'
import { prepare } from '../../src/train/prepare.ts'
import { adatune, eventsOf, jsonLines, projectFolder, readJson, recordOf, succeed, tokenRows, writeRun } from './project.ts'
import { writerFolder, writers } from './writing-project.ts'

test('rows of several files are scored file by file, and their mean decides', async () => {
  const folder = projectFolder()
  // Of different sizes, so that the mean over files is not that over rows.
  const sizes = { near: 9, far: 30 }
  for (const [name, rows] of Object.entries(sizes)) writeFileSync(join(folder, `${name}.jsonl`), jsonLines(tokenRows(rows, name)))
  writeRun(folder, 'run.yaml', {
    data: { eval: { near: 'near.jsonl', far: 'far.jsonl' }, test: { first: 'eval.jsonl' } },
    train: { steps: 6, learningRate: 0.05, dropout: 0, keepBest: 'far accuracy' },
    published: {
      paper: 'A paper',
      results: [{ method: 'LoRA', values: { 'near accuracy': 90.8, 'test first accuracy': 90.1 }, set: ['method.r=2'] }],
    },
  })
  const printed = await succeed(['train', 'run.yaml', '--out', 'out'], folder)
  const metrics = readJson(folder, 'out/metrics.json') as Record<string, number>
  const accuracyOn = async (name: string): Promise<number> => {
    const text = await succeed(['eval', '--model', 'model', '--adapter', 'out/adapter', '--data', `${name}.jsonl`], folder)
    return JSON.parse(text).accuracy
  }
  const [near, far, first] = [await accuracyOn('near'), await accuracyOn('far'), await accuracyOn('eval')]
  assert.deepEqual([metrics['near accuracy'], metrics['far accuracy']], [near, far])
  assert.ok(Math.abs(metrics.accuracy! - (near + far) / 2) < 1e-12, JSON.stringify(metrics))
  assert.notEqual(near, far)
  const { test: tested } = readJson(folder, 'out/metrics.json') as { test: Record<string, number> }
  assert.deepEqual([tested.accuracy, tested['first accuracy']], [first, first])
  assert.ok(!('near loss' in metrics) && 'loss' in metrics)
  // As papers print them, in the run's own table and beside what is published.
  const [inPercent, ofTest] = [near, first].map((share) => (100 * share).toFixed(1))
  assert.match(printed, new RegExp(`^near accuracy +${inPercent}$`, 'm'))
  assert.match(printed, new RegExp(`^test first accuracy +${ofTest}$`, 'm'))
  assert.match(printed, new RegExp(`^this run +${inPercent} +${ofTest}$`, 'm'))
})

test('the evaluation is kept whose file has the lowest perplexity, where that decides', async () => {
  const folder = projectFolder()
  const masked = (rows: number, seed: string): object[] =>
    tokenRows(rows, seed).map(({ input_ids }) => ({ input_ids, labels: (input_ids as number[]).map((id, k) => (k === 1 ? id : -100)) }))
  for (const name of ['train', 'near', 'far'])
    writeFileSync(join(folder, `${name}.jsonl`), jsonLines(masked(24, name) as ReturnType<typeof tokenRows>))
  writeRun(folder, 'run.yaml', {
    task: 'masked-lm',
    data: { eval: { near: 'near.jsonl', far: 'far.jsonl' } },
    train: { steps: 6, learningRate: 0.05, dropout: 0, evalEvery: 1, keepBest: 'far perplexity' },
  })
  await succeed(['train', 'run.yaml', '--out', 'out'], folder)
  const evaluations = eventsOf(recordOf(join(folder, 'out'))).filter(({ event }) => event === 'eval')
  const best = Math.min(...evaluations.map((each) => Number(each['far perplexity'])))
  assert.notEqual(best, evaluations[0]!['far perplexity'])
  assert.equal(readJson(folder, 'out/metrics.json')['far perplexity'], best)
})

test('a file may be scored in evaluations and at the end, by rows of its own and another name', async () => {
  const folder = projectFolder()
  for (const [name, rows] of Object.entries({ near: 9, far: 30 }))
    writeFileSync(join(folder, `${name}.jsonl`), jsonLines(tokenRows(rows, name)))
  const data = { eval: { near: 'near.jsonl', far: 'far.jsonl' }, test: { last: 'far.jsonl' }, rows: { eval: 9, test: [9, 30] } }
  writeRun(folder, 'run.yaml', { data, train: { steps: 6, learningRate: 0.05, dropout: 0 } })
  await succeed(['train', 'run.yaml', '--out', 'out'], folder)
  const { test: tested, ...metrics } = readJson(folder, 'out/metrics.json') as { test: Record<string, number> } & Record<string, number>
  assert.equal(metrics.accuracy, (metrics['near accuracy']! + metrics['far accuracy']!) / 2)
  assert.equal(tested.accuracy, tested['last accuracy'])
  // Nine rows and twenty-one have no share in common but none and all.
  assert.notEqual(tested['last accuracy'], metrics['far accuracy'])
  assert.ok(!('last accuracy' in metrics) && !('far accuracy' in tested))
  const { stderr } = await adatune(['train', 'run.yaml', '--out', 'other', '--set', 'train.keepBest=last accuracy'], folder)
  assert.match(stderr, /train\.keepBest: sequence-classification has no metric "last accuracy"; it has .*near accuracy.*far accuracy/)
})

test('a text is read on from line to line, and not from one file into another', async () => {
  const folder = writerFolder(writers.gpt2!)
  const at = (name: string): string => join(folder, `${name}.txt`)
  for (const name of ['train', 'near', 'far']) writeFileSync(at(name), `a big red one\nthe small one, ${name}\n`)
  const data = { train: at('train'), eval: { near: at('near'), far: at('far') } }
  const { evaluation } = await prepare(parseRun({ model: join(folder, 'model'), task: 'causal-lm', data }, 'settings'))
  assert.deepEqual(
    evaluation!.map(({ set, file, line }) => [set, file, line]),
    [
      ['near', at('near'), 1],
      ['far', at('far'), 1],
    ],
  )
})

test('several seeds tell the mean and deviation of each file', async () => {
  const folder = projectFolder()
  writeFileSync(join(folder, 'far.jsonl'), jsonLines(tokenRows(30, 'far')))
  writeRun(folder, 'run.yaml', { data: { eval: { near: 'eval.jsonl', far: 'far.jsonl' } }, train: { seeds: [1, 2] } })
  await succeed(['train', 'run.yaml', '--out', 'out'], folder)
  const { mean, bySeed } = readJson(folder, 'out/metrics.json') as {
    mean: Record<string, number>
    bySeed: { metrics: Record<string, number> }[]
  }
  const [one, two] = bySeed.map(({ metrics }) => metrics['far accuracy']!)
  assert.ok(Math.abs(mean['far accuracy']! - (one! + two!) / 2) < 1e-12)
})

test('a run whose file among several has changed is not resumed', async () => {
  const folder = projectFolder()
  writeFileSync(join(folder, 'far.jsonl'), jsonLines(tokenRows(30, 'far')))
  writeRun(folder, 'run.yaml', { data: { eval: { near: 'eval.jsonl', far: 'far.jsonl' } } })
  await succeed(['train', 'run.yaml', '--out', 'out'], folder)
  writeFileSync(join(folder, 'far.jsonl'), jsonLines(tokenRows(30, 'other')))
  await assert.rejects(succeed(['train', '--resume', 'out'], folder), /far\.jsonl has changed since the run in out began/)
})
