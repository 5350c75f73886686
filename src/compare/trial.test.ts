import assert from 'node:assert/strict'
import { test } from 'node:test'
import { armsOf } from './arms.ts'
import { parseComparison } from './comparison-file.ts'
import { type Trial, trialOf } from './trial.ts'

/** The only arm's trial with seed 1. */
function trialIn(run: object, { seed = 1, rate = 0.01, times = null as number | null, metric = null as string | null } = {}): Trial {
  const whole = { model: 'm', task: 'sequence-classification', data: { train: 't' }, ...run }
  const [arm] = armsOf(parseComparison({ run: whole, axes: {}, metric }, 'test')).arms
  return trialOf(arm!, arm!.run, seed, rate, times)
}
const idOf = (...given: Parameters<typeof trialIn>): string => trialIn(...given).id

test('a trial keeps its name whatever order its settings are written in, however many threads it has and wherever it goes', () => {
  const id = idOf({ train: { epochs: 2, batchSize: 8 } })
  assert.match(id, /^run-seed-1-[0-9a-f]{8}$/)
  for (const same of [
    { train: { batchSize: 8, epochs: 2 } },
    { train: { epochs: 2, batchSize: 8, threads: 3 } },
    { train: { epochs: 2, batchSize: 8 }, out: 'x' },
  ])
    assert.equal(idOf(same), id)
})

test('a trial of other settings, another seed or rate has another name', () => {
  const base = { method: { name: 'lora', r: 4 } }
  const ids = [
    idOf(base),
    idOf(base, { seed: 2 }),
    idOf(base, { rate: 0.02 }),
    idOf(base, { times: 3 }),
    idOf({ method: { name: 'lora', r: 8 } }),
    idOf({ ...base, data: { train: 'other' } }),
    idOf({ ...base, train: { epochs: 1 } }),
  ]
  assert.equal(new Set(ids).size, ids.length)
})

test('a run keeps its best evaluation by the metric that is compared, and is the same run where there is nothing to choose', () => {
  const data = { train: 't', eval: 'e' }
  const keepsBy = (run: object, metric: string | null): string | null => trialIn(run, { metric }).run.train.keepBest
  assert.deepEqual([keepsBy({ data }, null), keepsBy({ data }, 'f1')], [null, 'f1'])
  assert.notEqual(idOf({ data }, { metric: 'f1' }), idOf({ data }))
  assert.notEqual(idOf({ data }, { metric: 'f1' }), idOf({ data }, { metric: 'loss' }))
  const same: [run: object, keepBest: string | null][] = [
    [{ data, train: { keepBest: 'accuracy' } }, 'accuracy'],
    [{ data, train: { keepBest: 'f1' } }, 'f1'],
    [{ data, train: { evalEvery: 'end' } }, null],
    [{ data, train: { evalEvery: 30, steps: 30 } }, null],
    [{ data, train: { epochs: 1 } }, null],
    [{ data: { train: 't', test: 'e' } }, null],
  ]
  for (const [run, keepBest] of same) {
    assert.equal(keepsBy(run, 'f1'), keepBest)
    assert.equal(idOf(run, { metric: 'f1' }), idOf(run))
  }
})
