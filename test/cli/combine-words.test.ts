import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRows } from '../../src/data/read-rows.ts'
import { openPredictor } from '../../src/evaluate/predictor.ts'
import { combineAdapters } from '../../src/merging/combine.ts'
import { assertNear } from '../behaviour/tiny-model.ts'
import { command, jsonLines, writeRun } from './project.ts'
import { writerFolder, writers } from './writing-project.ts'

const folder = writerFolder(writers.gpt2!)
const at = (name: string): string => join(folder, name)
const [model, data] = [at('model'), at('many.jsonl')]

async function logits(adapter: string): Promise<number[]> {
  const predictor = await openPredictor({ model, adapter })
  const answers = await predictor.predict(await readRows(data), { logits: true })
  await predictor.close()
  return answers.flatMap(({ logits }) => (logits as number[][]).flat())
}

test('the report on adapters of a word task compares their logits at every token, however many these are', async () => {
  const rows = Array.from({ length: 80 }, (_, i) => ({ input_ids: [5, i, 2 * i, 7, i + 9, 11, 300, 40, i, 3] }))
  writeFileSync(data, jsonLines(rows.map((row) => ({ ...row, labels: row.input_ids }))))
  for (const [seed, name] of ['one', 'two'].entries()) {
    writeRun(folder, `${name}.yaml`, {
      task: 'causal-lm',
      method: { name: 'lora', r: 2, targets: 'all-linear' },
      data: { train: 'many.jsonl', eval: null },
      train: { steps: 2, learningRate: 0.05, seed },
    })
    assert.deepEqual(await command(['train', `${name}.yaml`, '--out', name, '--quiet'], folder), { code: 0, stderr: '' })
  }
  const [adapters, out] = [[at('one/adapter'), at('two/adapter')], at('both')]
  const { report } = await combineAdapters({ model, adapters, rule: 'svd', rank: 1, data: [data], report: true, out })
  const [both, one, two] = [await logits(out), await logits(adapters[0]!), await logits(adapters[1]!)]
  const gaps = both.map((value, i) => Math.abs(value - (one[i]! + two[i]!) / 2))
  // A call of a function takes some 120,000 arguments.
  assert.ok(gaps.length > 200_000, String(gaps.length))
  const { mean, largest } = report!.logitGap!
  const expected = [gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length, gaps.reduce((most, gap) => Math.max(most, gap), 0)]
  assertNear([mean, largest], expected, 1e-5)
  assert.ok(mean > 0.001)
})
