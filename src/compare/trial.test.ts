import assert from 'node:assert/strict'
import { test } from 'node:test'
import { armsOf } from './arms.ts'
import { parseComparison } from './comparison-file.ts'
import { trialOf } from './trial.ts'

/** The id of the only arm's trial with seed 1. */
function idOf(run: object, { seed = 1, rate = 0.01, times = null as number | null } = {}): string {
  const whole = { model: 'm', task: 'sequence-classification', data: { train: 't' }, ...run }
  const [arm] = armsOf(parseComparison({ run: whole, axes: {} }, 'test')).arms
  return trialOf(arm!, arm!.run, seed, rate, times).id
}

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
