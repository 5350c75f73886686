import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { spanScores } from './span-f1.ts'

// test/golden/metrics/make.py writes the expected numbers with seqeval.
const read = (name: string) => JSON.parse(readFileSync(new URL(`../../test/golden/metrics/${name}.json`, import.meta.url), 'utf8'))
const cases = read('inputs').tags as { labels: string[][]; predictions: string[][] }[]
const expected = read('expected').spans as { precision: number; recall: number; f1: number }[]

for (const [i, { labels, predictions }] of cases.entries()) {
  test(`spans of case ${i}, as seqeval`, () => {
    const scores = spanScores(predictions, labels)
    for (const name of ['precision', 'recall', 'f1'] as const) {
      assert.ok(Math.abs(scores[name] - expected[i]![name]) < 1e-6, `${name} ${scores[name]}, expected ${expected[i]![name]}`)
    }
  })

  test(`labels of case ${i} against themselves, and the sides exchanged`, () => {
    assert.ok([0, 1].includes(spanScores(labels, labels).f1))
    const [there, back] = [spanScores(predictions, labels), spanScores(labels, predictions)]
    assert.deepEqual([there.precision, there.recall], [back.recall, back.precision])
  })
}

test('a row of another length is refused', () => {
  assert.throws(() => spanScores([['O']], [['O', 'O']]), /row 0 has 1 predictions for 2 labels/)
  assert.throws(() => spanScores([], []), RangeError)
})
