import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bfloat16ToFloat32, float32ToHalf, halfToFloat32 } from './half.ts'

const widened = (bits: number) => halfToFloat32(Uint16Array.of(bits))[0]
const narrowed = (value: number) => float32ToHalf(Float32Array.of(value))[0]

/** The definition of IEEE 754 binary16, by powers of two. */
function meaning(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const mantissa = bits & 1023
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent ? (1 + mantissa / 1024) * 2 ** (exponent - 15) : mantissa * 2 ** -24)
}

test('every f16 bit pattern widens to its meaning and narrows back', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i)
  const wide = halfToFloat32(all)
  const back = float32ToHalf(wide)
  for (let bits = 0; bits < 65536; bits++) {
    assert.ok(Object.is(wide[bits], meaning(bits)), `0x${bits.toString(16)}`)
    if (Number.isNaN(wide[bits])) assert.ok((back[bits]! & 0x7c00) === 0x7c00 && (back[bits]! & 0x3ff) !== 0)
    else assert.equal(back[bits], bits)
  }
})

test('narrowing picks the nearest f16, the even one on a tie', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x7bfe }), fc.boolean(), (bits, negative) => {
      const [low, high] = [meaning(bits), meaning(bits + 1)]
      const sign = negative ? -1 : 1
      const mark = negative ? 0x8000 : 0
      assert.equal(narrowed((sign * (low + high)) / 2), (bits & 1 ? bits + 1 : bits) | mark)
      assert.equal(narrowed(sign * Math.fround(low + (high - low) * 0.499)), bits | mark)
      assert.equal(narrowed(sign * Math.fround(low + (high - low) * 0.501)), (bits + 1) | mark)
    }),
    { numRuns: 2000 },
  )
})

test('narrowing at the edges: overflow, underflow, infinities, NaN', () => {
  assert.equal(narrowed(65504), 0x7bff)
  assert.equal(narrowed(Math.fround(65519.99)), 0x7bff)
  assert.equal(narrowed(65520), 0x7c00)
  assert.equal(narrowed(-1e30), 0xfc00)
  assert.equal(narrowed(Number.NEGATIVE_INFINITY), 0xfc00)
  assert.equal(narrowed(2 ** -25), 0)
  assert.equal(narrowed(Math.fround(2 ** -25 * 1.0001)), 1)
  assert.equal(narrowed(-1e-30), 0x8000)
  assert.ok(Number.isNaN(widened(narrowed(Number.NaN)!)))
})

test('bfloat16 is the upper half of an f32', () => {
  const given = Uint16Array.of(0x3f80, 0xc049, 0x0001, 0x7f80, 0x8000)
  const expected = [1, -3.140625, 2 ** -133, Number.POSITIVE_INFINITY, -0]
  assert.deepEqual([...bfloat16ToFloat32(given)], expected)
  assert.ok(Number.isNaN(bfloat16ToFloat32(Uint16Array.of(0x7fc0))[0]))
})

test('a view into a larger buffer narrows by its own values', () => {
  assert.deepEqual([...float32ToHalf(Float32Array.of(9, 1, 2).subarray(1))], [0x3c00, 0x4000])
})
