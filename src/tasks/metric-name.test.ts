import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textMetrics } from '../metrics/text/index.ts'
import { tasks } from './index.ts'
import { metricOf, ofSet, onTest } from './metric-name.ts'
import { isLowerBetter } from './task.ts'

const metrics = [
  ...Object.values(tasks).flatMap(({ metricNames }) => metricNames),
  ...Object.values(textMetrics).flatMap(({ names }) => names),
]

test('a metric is found in its full name, whatever the file is called', () => {
  for (const name of metrics) {
    for (const set of ['wiki', 'my news', 'test', 'loss']) {
      assert.equal(metricOf(ofSet(set, name)), name)
      assert.equal(metricOf(onTest(ofSet(set, name))), name)
    }
    assert.equal(metricOf(onTest(name)), name)
    assert.equal(metricOf(name), name)
  }
})

test('what falls as it gets better does so on every file', () => {
  for (const name of ['perplexity', 'wiki perplexity', 'test wiki perplexity', 'test loss', 'news ter'])
    assert.ok(isLowerBetter(name), name)
  for (const name of ['accuracy', 'loss accuracy', 'test perplexity bleu']) assert.ok(!isLowerBetter(name), name)
})
