import assert from 'node:assert/strict'
import { test } from 'node:test'
import { philox } from './philox.ts'

// Random123, kat_vectors, the lines "philox4x32 10".
const known = [
  { counter: [0, 0, 0, 0], key: [0, 0], out: '6627e8d5 e169c58d bc57ac4c 9b00dbd8' },
  { counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], key: [0xffffffff, 0xffffffff], out: '408f276d 41c83b0e a20bc7c6 6d5451fd' },
  { counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], key: [0xa4093822, 0x299f31d0], out: 'd16cfe09 94fdcceb 5001e420 24126ea1' },
] as const

for (const {
  counter: [c0, c1, c2, c3],
  key,
  out,
} of known) {
  test(`philox answers ${out}`, () => {
    const words = new Uint32Array(4)
    philox(c0, c1, c2, c3, key, words)
    assert.equal([...words].map((word) => word.toString(16).padStart(8, '0')).join(' '), out)
  })
}
