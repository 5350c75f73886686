import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runConfig } from '../../config/run-config.ts'
import { UserError } from '../../errors.ts'
import type { ChunkPlan } from './chunk-plan.ts'
import type { MemoryNeed } from './memory-need.ts'
import { memoryPlan } from './memory-plan.ts'

const trainOf = (given: object) => runConfig.parse({ model: 'm', task: 'regression', data: { train: 't' }, train: given }).train

const chunks: ChunkPlan = { sizes: [1024, 512], least: [64, 1] }

/** 100 MB, and 100 kB for each token that is computed at once, of 1600 in all, a fifth of it where layers are made again. */
const needOf = ({ tokensAtOnce, recompute }: ReturnType<typeof trainOf>): MemoryNeed => ({
  ...{ process: 100e6, weights: 0, state: 0, evaluation: 0 },
  prefix: 0,
  step: (recompute === 'none' ? 100e3 : 20e3) * Number(tokensAtOnce ?? 1600),
})

const made = (given: object, plan = chunks) => {
  const { train, chosen } = memoryPlan(trainOf(given), plan, needOf)
  assert.equal(train.batchSize, 16, 'the batch stays what it is')
  return { tokensAtOnce: train.tokensAtOnce, recompute: train.recompute, told: chosen !== null }
}

test('without a limit, or with room enough, updates are made in the fastest way', () => {
  const plain = { tokensAtOnce: 1024, recompute: 'none', told: false }
  assert.deepEqual(made({ batchSize: 16 }), plain)
  assert.deepEqual(made({ batchSize: 16, memoryLimit: '210MB' }), plain)
  const whole = { tokensAtOnce: null, recompute: 'every-2', told: false }
  assert.deepEqual(made({ batchSize: 16, recompute: 'every-2' }, { sizes: [null], least: [] }), whole)
})

test('with less room chunks become smaller, then layers are made again, then both', () => {
  const at = (memoryLimit: string, more = {}) => made({ batchSize: 16, memoryLimit, ...more })
  assert.deepEqual(at('0.2GB'), { tokensAtOnce: 512, recompute: 'none', told: true })
  assert.deepEqual(at('150MB'), { tokensAtOnce: 1024, recompute: 'every-1', told: true })
  assert.deepEqual(at('115MB'), { tokensAtOnce: 512, recompute: 'every-1', told: true })
  assert.deepEqual(at('101MB'), { tokensAtOnce: 1, recompute: 'every-1', told: true })
  assert.deepEqual(at('120MB', { recompute: 'none' }), { tokensAtOnce: 64, recompute: 'none', told: true })
  assert.deepEqual(at('115MB', { recompute: 'every-3' }), { tokensAtOnce: 512, recompute: 'every-3', told: true })
})

test('what was chosen is told, and what cannot be is refused with the least that can', () => {
  const { chosen } = memoryPlan(trainOf({ memoryLimit: '115MB' }), chunks, needOf)
  assert.equal(chosen, 'To stay within 115MB: chunks of about 512 tokens, layers made again in the backward pass; about 111 MB.')
  assert.match(memoryPlan(trainOf({ memoryLimit: '101MB' }), chunks, needOf).chosen!, /chunks of one row, layers/)
  assert.throws(
    () => memoryPlan(trainOf({ memoryLimit: '100MB' }), chunks, needOf),
    (error) =>
      error instanceof UserError && /memoryLimit is 100MB, and the least that this run is foretold to need is 101 MB/.test(error.message),
  )
  assert.throws(() => trainOf({ memoryLimit: '2 gigabytes' }), /must be a size such as 500MB or 2GB/)
})
