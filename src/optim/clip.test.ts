import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compute, operand } from '../../test/behaviour/small-graph.ts'
import { clipFactor, clipped, globalNorm } from './clip.ts'

const run = (most: number) =>
  compute(
    {
      a: operand([3, 0]),
      b: operand([
        [0, 4],
        [0, 12],
      ]),
    },
    ({ a, b }) => {
      const norm = globalNorm([a!, b!])
      const factor = clipFactor(norm, most)
      return { norm, factor, clipped: clipped(b!, factor) }
    },
  )

test('the norm is taken over all tensors together', async () => {
  assert.deepEqual((await run(1)).norm, [13])
})

test('gradients above the bound are scaled down to it, as torch does', async () => {
  const { factor, clipped: scaled } = await run(2)
  assert.ok(Math.abs(factor![0]! - 2 / 13.000001) < 1e-15)
  assert.ok(Math.abs(scaled![3]! - (12 * 2) / 13.000001) < 1e-14)
})

test('gradients below the bound stay as they are', async () => {
  assert.deepEqual(await run(14), { norm: [13], factor: [1], clipped: [0, 4, 0, 12] })
})

test('without a factor the gradient is the same value of the graph', async () => {
  await compute({ a: operand([1]) }, ({ a }) => {
    assert.equal(clipped(a!, null), a)
    return { norm: globalNorm([a!]) }
  })
})
