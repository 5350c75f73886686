import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runConfig } from '../../config/run-config.ts'
import { UserError } from '../../errors.ts'
import { type ChunkPlan, chunkPlan } from './chunk-plan.ts'
import type { MemoryOf } from './memory-need.ts'
import type { PlannedStep } from './planned-step.ts'

interface Given {
  readonly train?: object
  readonly device?: string
  /** Of the largest micro-batch. */
  readonly tokens?: number
  readonly divisible?: boolean
  readonly stateBytes?: number
}

/** The plan for a step that makes 1 kB of each token. */
function planned({ train = {}, device = 'cpu', tokens = 2048, divisible = true, stateBytes = 0 }: Given): ChunkPlan {
  const settings = runConfig.parse({ model: 'm', task: 'regression', data: { train: 't' }, train }).train
  const run = { open: { subject: { model: { device } } } } as unknown as MemoryOf
  const step = { divisible, stateBytes, intermediateBytes: (sizes: { tokens: number }) => 1000 * sizes.tokens } as unknown as PlannedStep
  return chunkPlan(
    run,
    settings,
    () => step,
    ({ tokensAtOnce }) => [{ tokens: Math.min(tokens, typeof tokensAtOnce === 'number' ? tokensAtOnce : tokens) }],
  )
}

test('chunks are taken where they spare more than the state, on the processor alone', () => {
  assert.deepEqual(planned({}).sizes, [1024])
  assert.deepEqual(planned({ tokens: 1024 }).sizes, [null], 'a small batch')
  assert.deepEqual(planned({ stateBytes: 1.02e6 }).sizes, [1024])
  assert.deepEqual(planned({ stateBytes: 1.03e6 }).sizes, [null], 'a large state')
  assert.deepEqual(planned({ device: 'webgpu' }).sizes, [null])
  assert.deepEqual(planned({ divisible: false }).sizes, [null])
})

test('what is given stays, unless it cannot be', () => {
  assert.deepEqual(planned({ train: { tokensAtOnce: 300, memoryLimit: '1GB' } }), { sizes: [300], least: [] })
  assert.deepEqual(planned({ train: { tokensAtOnce: null, memoryLimit: '1GB' } }), { sizes: [null], least: [] })
  assert.deepEqual(planned({ train: { tokensAtOnce: null }, divisible: false }).sizes, [null])
  assert.throws(() => planned({ train: { tokensAtOnce: 300 }, divisible: false }), UserError)
})

test('a limit may ask for smaller chunks, where there are any', () => {
  const limited = { memoryLimit: '1GB' }
  assert.deepEqual(planned({ train: limited }), { sizes: [1024, 512, 256], least: [64, 1] })
  assert.deepEqual(planned({ train: limited, tokens: 800 }), { sizes: [null, 1024, 512, 256], least: [64, 1] })
  assert.deepEqual(planned({ train: limited, divisible: false }), { sizes: [null], least: [] })
})
