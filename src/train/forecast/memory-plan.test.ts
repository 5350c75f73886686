import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runConfig } from '../../config/run-config.ts'
import { UserError } from '../../errors.ts'
import type { MemoryNeed } from './memory-need.ts'
import { memoryPlan } from './memory-plan.ts'

const trainOf = (given: object) => runConfig.parse({ model: 'm', task: 'regression', data: { train: 't' }, train: given }).train

/** 100 MB, and 10 MB for each row of a micro-batch, a fifth of it where layers are made again. */
const needOf = ({ batchSize, recompute }: ReturnType<typeof trainOf>): MemoryNeed => ({
  ...{ process: 100e6, weights: 0, state: 0, evaluation: 0 },
  prefix: 0,
  step: (recompute === 'none' ? 10e6 : 2e6) * batchSize,
})

const made = (given: object) => {
  const { train, chosen } = memoryPlan(trainOf(given), needOf)
  return {
    ...Object.fromEntries((['batchSize', 'accumulate', 'recompute'] as const).map((key) => [key, train[key]])),
    told: chosen !== null,
  }
}

test('without a limit, or with room enough, updates are made as they are given', () => {
  const plain = { batchSize: 16, accumulate: 2, recompute: 'none', told: false }
  assert.deepEqual(made({ batchSize: 16, accumulate: 2 }), plain)
  assert.deepEqual(made({ batchSize: 16, accumulate: 2, memoryLimit: '260MB' }), plain)
  assert.deepEqual(made({ batchSize: 16, recompute: 'every-2' }), { batchSize: 16, accumulate: 1, recompute: 'every-2', told: false })
})

test('with less room micro-batches become smaller, then layers are made again, then both; updates stay the same', () => {
  const at = (memoryLimit: string, more = {}) => made({ batchSize: 16, accumulate: 2, memoryLimit, ...more })
  assert.deepEqual(at('0.2GB'), { batchSize: 8, accumulate: 4, recompute: 'none', told: true })
  assert.deepEqual(at('140MB'), { batchSize: 4, accumulate: 8, recompute: 'none', told: true })
  assert.deepEqual(at('135MB'), { batchSize: 16, accumulate: 2, recompute: 'every-1', told: true })
  assert.deepEqual(at('102MB'), { batchSize: 1, accumulate: 32, recompute: 'every-1', told: true })
  assert.deepEqual(at('135MB', { recompute: 'none' }), { batchSize: 2, accumulate: 16, recompute: 'none', told: true })
  assert.deepEqual(at('110MB', { recompute: 'every-3' }), { batchSize: 4, accumulate: 8, recompute: 'every-3', told: true })
})

test('what was chosen is told, and what cannot be is refused with the least that can', () => {
  const { chosen } = memoryPlan(trainOf({ batchSize: 8, memoryLimit: '106MB' }), needOf)
  assert.equal(chosen, 'To stay within 106MB: 4 micro-batches of 2 rows an update, layers made again in the backward pass; about 104 MB.')
  assert.throws(
    () => memoryPlan(trainOf({ batchSize: 8, memoryLimit: '100MB' }), needOf),
    (error) =>
      error instanceof UserError && /memoryLimit is 100MB, and the least that this run is foretold to need is 102 MB/.test(error.message),
  )
  assert.throws(() => trainOf({ memoryLimit: '2 gigabytes' }), /must be a size such as 500MB or 2GB/)
})
