import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { epochOrder, groupedByLength } from './order.ts'

test('an epoch visits every row once, in an order of its own', () => {
  const orders = [epochOrder(50, 1, 0, true), epochOrder(50, 1, 1, true), epochOrder(50, 2, 0, true)]
  for (const order of orders)
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, i) => i),
    )
  assert.equal(new Set(orders.map(String)).size, 3)
  assert.deepEqual(epochOrder(50, 1, 1, true), orders[1])
})

test('without shuffling the rows come as in the file', () => {
  assert.deepEqual(epochOrder(3, 1, 5, false), Int32Array.of(0, 1, 2))
})

test('grouped by length, every row is visited once, rows of like length share a batch, and a short batch is the last', () => {
  const grouping = fc.record({
    lengths: fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 300 }),
    batchSize: fc.integer({ min: 1, max: 9 }),
  })
  fc.assert(
    fc.property(grouping, ({ lengths, batchSize }) => {
      const padded = (order: Int32Array): number => {
        let sum = 0
        for (let start = 0; start < order.length; start += batchSize) {
          const batch = [...order.subarray(start, start + batchSize)].map((row) => lengths[row]!)
          sum += Math.max(...batch) * batch.length
        }
        return sum
      }
      const order = epochOrder(lengths.length, 1, 0, true)
      const grouped = groupedByLength(order, (row) => lengths[row]!, { batchSize, seed: 1, epoch: 0 })
      assert.deepEqual(
        [...grouped].sort((a, b) => a - b),
        [...order].sort((a, b) => a - b),
      )
      if (lengths.length % batchSize === 0) assert.ok(padded(grouped) <= padded(order))
    }),
  )
})

test('grouped by length, batches come in another order in each epoch, and not the longest first', () => {
  const lengthOf = (row: number): number => row
  const firsts = [0, 1, 2, 3].map((epoch) => {
    const order = epochOrder(400, 1, epoch, true)
    return [...groupedByLength(order, lengthOf, { batchSize: 10, seed: 1, epoch })].filter((_, at) => at % 10 === 0)
  })
  assert.equal(new Set(firsts.map(String)).size, 4)
  for (const first of firsts)
    assert.notDeepEqual(
      first,
      first.toSorted((a, b) => b - a),
    )
})
