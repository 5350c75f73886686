import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Example } from './examples.ts'
import { pack } from './pack.ts'

const tokensOf = fc.array(fc.record({ id: fc.nat(99), type: fc.nat(1), mask: fc.nat(1) }), { minLength: 1, maxLength: 9 })
const batches = fc.array(tokensOf, { minLength: 1, maxLength: 6 }).map((rows) =>
  rows.map(
    (tokens, line): Example => ({
      ids: Int32Array.from(tokens, ({ id }) => id),
      types: Int32Array.from(tokens, ({ type }) => type),
      mask: Uint8Array.from(tokens, ({ mask }) => mask),
      label: null,
      file: 'a.jsonl',
      line,
    }),
  ),
)
const fromTwo = (ids: Int32Array) => ids.map((_, i) => i + 2)

test('unpack and repack are inverse on tokens', () => {
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 3 }), (examples, copies) => {
      const batch = pack(examples, fromTwo, copies)
      for (const [token, slot] of batch.repack.entries()) assert.equal(batch.unpack[slot], token)
      assert.equal(new Set(batch.repack).size, batch.tokens)
      for (const [slot, token] of batch.unpack.entries()) {
        if (batch.slotMask[slot] === 1) assert.equal(batch.repack[token], slot)
        else assert.equal(token, 0)
      }
    }),
  )
})

test('every slot holds the token of its row and column, with its type, position and mask', () => {
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 3 }), (examples, copies) => {
      const batch = pack(examples, fromTwo, copies)
      assert.equal(batch.rows, examples.length * copies)
      assert.equal(batch.length, Math.max(...examples.map(({ ids }) => ids.length)))
      assert.equal(batch.tokens, copies * examples.reduce((sum, { ids }) => sum + ids.length, 0))
      for (let row = 0; row < batch.rows; row++) {
        const { ids, types, mask } = examples[row % examples.length]!
        assert.equal(batch.unpack[row * batch.length], batch.rowStart[row])
        for (let column = 0; column < batch.length; column++) {
          const slot = row * batch.length + column
          const token = batch.unpack[slot]!
          const held = column < ids.length
          assert.equal(batch.slotMask[slot], held ? 1 : 0)
          assert.equal(batch.keyMask[slot], held && mask[column] === 1 ? 0 : -3.4028234663852886e38)
          if (!held) assert.equal(token, 0)
          else assert.deepEqual([batch.ids[token], batch.types[token], batch.positions[token]], [ids[column], types[column], column + 2])
        }
      }
    }),
  )
})

test('a row without tokens and a batch without rows are refused', () => {
  const empty: Example = { ids: new Int32Array(), types: new Int32Array(), mask: new Uint8Array(), label: null, file: 'a.jsonl', line: 1 }
  assert.throws(() => pack([empty], fromTwo), RangeError)
  assert.throws(() => pack([], fromTwo), RangeError)
})
