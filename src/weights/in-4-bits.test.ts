import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { from4Bits } from '../../test/behaviour/from-4-bits.ts'
import { in4Bits } from './in-4-bits.ts'

const value = fc.integer({ min: -999, max: 999 }).map((number) => number / 100)
const matrix = fc
  .record({ rows: fc.integer({ min: 1, max: 4 }), blocks: fc.integer({ min: 1, max: 3 }), block: fc.constantFrom(16, 32) })
  .chain(({ rows, blocks, block }) => {
    const size = rows * blocks * block
    return fc.record({
      shape: fc.constant([rows, blocks * block] as const),
      block: fc.constant(block),
      data: fc.array(fc.oneof(value, fc.constant(0)), { minLength: size, maxLength: size }).map((values) => Float32Array.from(values)),
    })
  })

test('a block of weights hits its farthest value exactly, and is off by half a step, or by one beside its negative', () => {
  fc.assert(
    fc.property(matrix, ({ shape, block, data }) => {
      const packed = in4Bits(data, shape, block)
      assert.equal(packed.bytes.length, data.length / 2)
      const told = from4Bits(packed, block)
      for (let start = 0; start < data.length; start += block) {
        const own = data.subarray(start, start + block)
        const most = own.reduce((far, number) => (Math.abs(number) > Math.abs(far) ? number : far), 0)
        const step = Math.abs(most) / 8
        for (const [i, number] of own.entries()) {
          const off = Math.abs(number - told[start + i]!)
          if (number === most) assert.ok(off <= 1e-6 * Math.abs(most))
          assert.ok(off <= step * (number * most < 0 && Math.abs(number) > 7.5 * step ? 1.0001 : 0.5001), `${number} as ${told[start + i]}`)
        }
      }
    }),
  )
})

test('what was packed once is packed the same again, and 127 steps of each row and column reach its largest value', () => {
  fc.assert(
    fc.property(matrix, ({ shape: [rows, columns], block, data }) => {
      const packed = in4Bits(data, [rows, columns], block)
      const told = from4Bits(packed, block)
      assert.deepEqual(from4Bits(in4Bits(told, [rows, columns], block), block), told)
      const largest = (values: number[]): number => Math.max(...values.map(Math.abs))
      const near = (steps: number, most: number): void => assert.ok(Math.abs(127 * steps - (most || 127)) <= 1e-4 * (most || 127))
      for (let row = 0; row < rows; row++) near(packed.rowSteps[row]!, largest([...told.subarray(row * columns, (row + 1) * columns)]))
      for (let column = 0; column < columns; column++)
        near(packed.columnSteps[column]!, largest(Array.from({ length: rows }, (_, row) => told[row * columns + column]!)))
    }),
  )
})
