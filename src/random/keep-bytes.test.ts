import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fillKeepBytes } from './keep-bytes.ts'
import { keyOf } from './key.ts'

function keepBytes(length: number, p: number, seed: number): Uint8Array {
  const out = new Uint8Array(length).fill(7)
  fillKeepBytes(out, keyOf('keep', seed), p)
  return out
}
const dropped = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + 1 - byte, 0)

for (const p of [0.1, 0.25, 0.5, 0.9, 1 / 512, 0.3 / 256, 0.7 / 256, 255.5 / 256]) {
  test(`a share of ${p} is dropped, evenly over the four lanes`, () => {
    const n = 2 ** 20
    const bytes = keepBytes(n, p, 1)
    assert.ok(bytes.every((byte) => byte === 0 || byte === 1))
    const bound = (count: number) => 5 * Math.sqrt(count * p * (1 - p))
    assert.ok(Math.abs(dropped(bytes) - n * p) < bound(n), `${dropped(bytes)} of ${n * p}`)
    for (let lane = 0; lane < 4; lane++) {
      const count = dropped(bytes.filter((_, i) => i % 4 === lane))
      assert.ok(Math.abs(count - (n / 4) * p) < bound(n / 4), `lane ${lane}: ${count}`)
    }
  })
}

test('neighbours are independent', () => {
  const bytes = keepBytes(2 ** 20, 0.5, 2)
  for (const gap of [1, 2, 3, 4, 8, 64]) {
    const both = bytes.reduce((sum, byte, i) => sum + (byte & (bytes[i + gap] ?? 0)), 0)
    assert.ok(Math.abs(both - 2 ** 18) < 5 * Math.sqrt((2 ** 20 * 3) / 16), `gap ${gap}: ${both}`)
  }
})

test('p of 0 keeps all and p of 1 drops all; other numbers are refused', () => {
  assert.ok(keepBytes(11, 0, 3).every((byte) => byte === 1))
  assert.ok(keepBytes(11, 1, 3).every((byte) => byte === 0))
  for (const p of [-0.1, 1.1, NaN]) assert.throws(() => keepBytes(4, p, 3), RangeError)
})

test('bytes depend on key and position only, not on length or alignment', () => {
  const long = keepBytes(1000, 0.3, 4)
  fc.assert(
    fc.property(fc.nat(999), fc.nat(7), (length, offset) => {
      const room = new Uint8Array(1020).fill(9)
      fillKeepBytes(room.subarray(offset, offset + length), keyOf('keep', 4), 0.3)
      assert.deepEqual(room.subarray(offset, offset + length), long.subarray(0, length))
      assert.ok(room.subarray(0, offset).every((byte) => byte === 9) && room.subarray(offset + length).every((byte) => byte === 9))
    }),
  )
  assert.notDeepEqual(keepBytes(1000, 0.3, 5), long)
})
