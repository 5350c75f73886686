import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyOf } from './key.ts'

const text = (...parts: (string | number)[]) => keyOf(...parts).join(':')

test('order, type and boundaries of the parts count', () => {
  const lists: (string | number)[][] = [
    [],
    [''],
    ['', ''],
    [0],
    [0, 0],
    ['0'],
    [1],
    ['1'],
    [-1],
    [0.5],
    [2 ** 40],
    ['a', 'bc'],
    ['ab', 'c'],
    ['abc'],
    ['a', 'b', 'c'],
    [1, 2],
    [2, 1],
    [12],
    ['a', 1],
    [1, 'a'],
    ['a\0'],
    ['a'],
    ['\u0001\u0000'],
    ['dropout', 0, 1],
    ['dropout', 1, 0],
  ]
  assert.equal(new Set(lists.map((list) => text(...list))).size, lists.length)
})

test('a key is pure and the same on every machine', () => {
  assert.deepEqual(keyOf('order', 1, 2), keyOf('order', 1, 2))
  assert.deepEqual(keyOf(), [0x6627e8d5, 0xe169c58d])
  assert.deepEqual(keyOf(0), keyOf(-0))
})

test('different part lists have different keys', () => {
  const part = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.double({ noNaN: true }))
  fc.assert(
    fc.property(fc.array(part), fc.array(part), (a, b) => {
      const same = a.length === b.length && a.every((value, i) => value === b[i])
      assert.equal(text(...a) === text(...b), same)
    }),
  )
})

test('a changed bit flips about half of the 64 bits', () => {
  const ones = (x: number) => x.toString(2).replaceAll('0', '').length
  let flips = 0
  const pairs = 1000
  for (let i = 0; i < pairs; i++) {
    const [a, b] = [keyOf('site', i), keyOf('site', i ^ 1)]
    flips += ones((a[0] ^ b[0]) >>> 0) + ones((a[1] ^ b[1]) >>> 0)
  }
  assert.ok(Math.abs(flips / pairs - 32) < 1, `${flips / pairs} bits`)
})
