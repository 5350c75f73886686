import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { jsonLines, projectFolder, readJson, succeed, tokenRows, writeRun } from './project.ts'

test('rows of several files are scored file by file, and their mean decides', async () => {
  const folder = projectFolder()
  // Of different sizes, so that the mean over files is not that over rows.
  const sizes = { near: 9, far: 30 }
  for (const [name, rows] of Object.entries(sizes)) writeFileSync(join(folder, `${name}.jsonl`), jsonLines(tokenRows(rows, name)))
  writeRun(folder, 'run.yaml', {
    data: { eval: { near: 'near.jsonl', far: 'far.jsonl' }, test: { first: 'eval.jsonl' } },
    train: { steps: 6, learningRate: 0.05, dropout: 0, keepBest: 'far accuracy' },
  })
  await succeed(['train', 'run.yaml', '--out', 'out'], folder)
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
