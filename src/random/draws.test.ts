import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { normals, permutation, stream, uniforms } from './draws.ts'
import { keyOf } from './key.ts'
import { philox } from './philox.ts'

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

test('next walks through the Philox blocks of the key', () => {
  const key = keyOf('walk')
  const draws = stream(key)
  const block = new Uint32Array(4)
  for (let counter = 0; counter < 3; counter++) {
    philox(counter, 0, 0, 0, key, block)
    for (const word of block) assert.equal(draws.next(), word)
  }
})

test('normals have the moments of a normal distribution', () => {
  const draws = normals(100_000, keyOf('normal'), { mean: 3, deviation: 2 })
  const unit = [...draws].map((x) => (x - 3) / 2)
  assert.ok(Math.abs(mean(unit)) < 0.015)
  assert.ok(Math.abs(mean(unit.map((x) => x ** 2)) - 1) < 0.02)
  assert.ok(Math.abs(mean(unit.map((x) => x ** 3))) < 0.05)
  assert.ok(Math.abs(mean(unit.map((x) => x ** 4)) - 3) < 0.12)
  assert.ok(Math.abs(mean(unit.map((x, i) => x * (unit[i + 1] ?? 0)))) < 0.015, 'neighbours are uncorrelated')
  assert.ok(Math.abs(mean(unit.map((x) => (x > 1.96 || x < -1.96 ? 1 : 0))) - 0.05) < 0.004)
})

test('uniforms fill their range evenly', () => {
  const draws = uniforms(50_000, keyOf('uniform'), { low: -1, high: 3 })
  const bins = new Array<number>(8).fill(0)
  for (const x of draws) bins[Math.floor((x + 1) * 2)]!++
  for (const count of bins) assert.ok(Math.abs(count - 6250) < 350, `${count}`)
})

test('below is in range and even, also where 2^32 is no multiple', () => {
  const draws = stream(keyOf('below'))
  const counts = [0, 0, 0]
  for (let i = 0; i < 30_000; i++) counts[Math.floor(draws.below(3 * 2 ** 30) / 2 ** 30)]!++
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 400, `${counts}`)
  for (const n of [0, -1, 1.5, NaN, 2 ** 33]) assert.throws(() => draws.below(n), RangeError)
})

test('a permutation holds every index once and is pure', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.integer(), (n, seed) => {
      const order = permutation(n, keyOf(seed))
      assert.deepEqual(
        [...order].sort((a, b) => a - b),
        Array.from({ length: n }, (_, i) => i),
      )
      assert.deepEqual(order, permutation(n, keyOf(seed)))
    }),
  )
})

test('all 6 orders of 3 are equally likely', () => {
  const counts = new Map<string, number>()
  for (let i = 0; i < 6000; i++) {
    const order = permutation(3, keyOf('three', i)).join('')
    counts.set(order, (counts.get(order) ?? 0) + 1)
  }
  assert.equal(counts.size, 6)
  for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 130, `${count}`)
})
