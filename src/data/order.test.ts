import assert from 'node:assert/strict'
import { test } from 'node:test'
import { epochOrder } from './order.ts'

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
