import assert from 'node:assert/strict'
import { test } from 'node:test'
import { regrouped } from './answered.ts'
import { tasks } from './index.ts'
import { scoredBySet } from './scored-by-set.ts'

const plain = tasks['sequence-classification']
const task = scoredBySet(plain, ['near', 'far'])
const names = ['bad', 'good']

/** Answers of a set, right where `right` says. */
const answers = (set: string | null, right: readonly boolean[], file = 'rows.jsonl') => {
  const label = 1
  const [ids, types, mask] = [new Int32Array(1), new Int32Array(1), new Uint8Array(1)]
  const items = right.map((_, i) => ({
    ...{ file, line: i + 1, ...(set !== null && { set }) },
    examples: [{ ids, types, mask, label, file, line: i + 1 }],
  }))
  return regrouped(
    items,
    right.map((each) => (each ? Float32Array.of(0, 1) : Float32Array.of(1, 0))),
  )
}

test('each set has its scores, and their mean stands under the usual names, whatever file the rows are in', () => {
  const scores = task.metrics([...answers('near', [true]), ...answers('far', [true, false, false, false])], names)
  assert.deepEqual([scores['near accuracy'], scores['far accuracy'], scores.accuracy], [1, 0.25, 0.625])
  assert.ok(!('near loss' in scores) && 'loss' in scores)
})

test('rows of another set, as those of a test, are scored by its name alone', () => {
  const scores = task.metrics(answers('last', [true, false]), names)
  assert.deepEqual([scores['last accuracy'], scores.accuracy], [0.5, 0.5])
  assert.ok(!('near accuracy' in scores))
})

test('rows without a set are scored as ever', () => {
  const rows = answers(null, [true, false, true])
  assert.deepEqual(task.metrics(rows, names), plain.metrics(rows, names))
})

test('the metrics that a run may keep its best by are those of its sets', () => {
  assert.ok(task.metricNames.includes('near accuracy') && task.metricNames.includes('accuracy'))
  assert.ok(!task.metricNames.includes('near loss'))
  assert.deepEqual(scoredBySet(plain, []).metricNames, plain.metricNames)
})
