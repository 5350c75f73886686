import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Dim, evaluate, isSymbol, part, product, sum } from './dim.ts'

test('products are written in one canonical form', () => {
  assert.equal(product(['rows', 2, 'length', 6]), '12*length*rows')
  assert.equal(product(['length', 'rows', 12]), '12*length*rows')
  assert.equal(product([2, 3]), 6)
  assert.equal(product([]), 1)
  assert.equal(product(['tokens', 0]), 0)
})

test('parts cancel against factors', () => {
  assert.equal(part('tokens', 2), 'tokens/2')
  assert.equal(product([part('tokens', 2), 2]), 'tokens')
  assert.equal(part('12*tokens', 4), '3*tokens')
  assert.equal(part(12, 4), 3)
})

test('sums need a common form', () => {
  assert.equal(sum([part('tokens', 2), part('tokens', 2)]), 'tokens')
  assert.equal(sum([3, 4]), 7)
  assert.equal(sum(['2*rows*length', 'length*rows']), '3*length*rows')
  assert.equal(sum(['past', 'length', 4]), 'length+past+4')
  assert.equal(evaluate(sum(['past', 'length', 4]), { past: 2, length: 3 }), 9)
  assert.throws(() => sum(['2*rows', 'tokens']), /2\*rows and tokens have no common form/)
  assert.equal(sum(['rows', 1]), 'rows+1')
  assert.equal(sum(['length', 'length+20', 1]), 'length+length+21')
  assert.equal(sum(['length', 'length', 1]), 'length+length+1')
  assert.equal(evaluate(product([3, sum(['length', 'length+20'])]), { length: 5 }), 90)
})

test('any number of equal parts add up to the whole', () => {
  for (const parts of [2, 7, 98, 1024]) assert.equal(sum(Array<Dim>(parts).fill(part('tokens/2', parts))), 'tokens/2')
})

test('only a bare name is a symbol', () => {
  assert.deepEqual(['rows', '2*rows', 'rows/2', 3].map(isSymbol), [true, false, false, false])
})

test('an unknown size is named', () => {
  assert.throws(() => evaluate('rows*tokens', { rows: 2 }), /the size "tokens" is not known/)
})

const dims = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom<Dim>('rows', 'length', 'tokens', part('tokens', 2))), {
  maxLength: 6,
})
const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 9 }),
  length: fc.integer({ min: 1, max: 9 }),
  tokens: fc.integer({ min: 1, max: 9 }).map((n) => 2 * n),
})

test('the value of a product is the product of the values, in any order', () => {
  fc.assert(
    fc.property(dims, sizes, (factors, known) => {
      const expected = factors.reduce<number>((value, dim) => value * evaluate(dim, known), 1)
      assert.ok(Math.abs(evaluate(product(factors), known) - expected) < 1e-9 * expected)
      assert.equal(product([...factors].reverse()), product(factors))
    }),
  )
})
