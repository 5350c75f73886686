import assert from 'node:assert/strict'
import { readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { temporaryFolder } from '../../../test/behaviour/tiny-model.ts'
import { type Fill, fileStore, memoryStore } from './row-store.ts'

const length = 40
const numbers = Float32Array.from({ length }, (_, i) => Math.sin(i))
/** Writes the parts in an order of its own, and counts how often it is asked. */
function filling(): { fill: Fill; asked: () => number } {
  let count = 0
  return {
    async fill(write) {
      count++
      for (const at of [24, 0, 8, 32, 16]) write(at, numbers.subarray(at, at + 8))
    },
    asked: () => count,
  }
}

test('a part that is read holds what was written, from memory and from a file', async () => {
  const folder = temporaryFolder()
  const stores = [await memoryStore(length, filling().fill), await fileStore(join(folder, 'rows'), length, filling().fill)]
  const parts = fc.record({ at: fc.integer({ min: 0, max: length }), size: fc.integer({ min: 0, max: length }) })
  fc.assert(
    fc.property(parts, ({ at, size }) => {
      const expected = numbers.subarray(at, Math.min(at + size, length))
      for (const store of stores) {
        const into = new Float32Array(expected.length)
        store.read(at, into)
        assert.deepEqual(into, expected)
      }
    }),
  )
  for (const store of stores) store.close()
  assert.deepEqual(readdirSync(folder), ['rows'])
})

test('a file that is whole is read again, one that is cut short or was never finished is made anew', async () => {
  const file = join(temporaryFolder(), 'rows')
  writeFileSync(`${file}.tmp`, 'what a kill left')
  const first = filling()
  const read = async (): Promise<void> => {
    const store = await fileStore(file, length, first.fill)
    const into = new Float32Array(length)
    store.read(0, into)
    assert.deepEqual(into, numbers)
    store.close()
  }
  await read()
  await read()
  assert.equal(first.asked(), 1)
  truncateSync(file, 60)
  await read()
  assert.equal(first.asked(), 2)
})

test('where the numbers cannot be made, no file is left', async () => {
  const folder = temporaryFolder()
  await assert.rejects(
    fileStore(join(folder, 'rows'), length, async (write) => {
      write(0, numbers)
      throw new Error('no more')
    }),
    /no more/,
  )
  assert.deepEqual(readdirSync(folder), [])
})
