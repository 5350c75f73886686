import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Example } from '../data/examples.ts'
import { chunksOf } from './chunks.ts'

const exampleOf = (tokens: number, others: number[] = [], written?: number): Example => {
  const row = (length: number) => ({ ids: new Int32Array(length), types: new Int32Array(length), mask: new Uint8Array(length) })
  return { ...row(tokens), others: others.map(row), ...(written && { decoder: row(written) }), label: 0, file: 'f', line: 1 }
}

const plain = { virtualTokens: 0 }
const sizes = (chunks: readonly (readonly Example[])[]): number[] => chunks.map(({ length }) => length)

test('rows of one length are shared out evenly', () => {
  const rows = Array.from({ length: 16 }, () => exampleOf(128))
  assert.deepEqual(sizes(chunksOf(rows, 1024, plain, 1)), [8, 8])
  assert.deepEqual(sizes(chunksOf(rows, 1024, plain, 2)), [4, 4, 4, 4])
  assert.deepEqual(sizes(chunksOf(rows, 900, plain, 1)), [5, 6, 5])
  assert.deepEqual(sizes(chunksOf(rows, 2048, plain, 1)), [16])
  assert.deepEqual(sizes(chunksOf(rows, 1, plain, 1)), Array(16).fill(1))
  assert.deepEqual(sizes(chunksOf(rows, null, plain, 1)), [16])
})

test('all that is computed of a row counts: its choices, virtual tokens, what a decoder is given', () => {
  const rows = [exampleOf(5, [5]), exampleOf(5, [5]), exampleOf(10), exampleOf(4, [], 6)]
  assert.deepEqual(sizes(chunksOf(rows, 20, plain, 1)), [2, 2])
  assert.deepEqual(sizes(chunksOf([exampleOf(10), exampleOf(10)], 39, { virtualTokens: 10 }, 1)), [1, 1])
})

test('chunks hold all examples in order, none is empty, and none is larger than its share by more than a row', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 2 }), (tokens, atOnce, passes) => {
      const examples = tokens.map((length) => exampleOf(length))
      const chunks = chunksOf(examples, atOnce, plain, passes)
      assert.deepEqual(chunks.flat(), examples)
      const longest = passes * Math.max(...tokens)
      for (const chunk of chunks) {
        assert.ok(chunk.length > 0)
        const sum = passes * chunk.reduce((all, { ids }) => all + ids.length, 0)
        assert.ok(sum <= atOnce + longest, `${sum} tokens at once`)
      }
    }),
  )
})
