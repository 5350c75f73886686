import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type T5Buckets, t5BucketOf } from './t5-buckets.ts'

interface Table extends T5Buckets {
  readonly from: number
  readonly buckets: readonly number[]
}
const file = join(import.meta.dirname, '../../test/golden/generation/tables.json')
const { buckets: tables }: { buckets: readonly Table[] } = JSON.parse(readFileSync(file, 'utf8'))

for (const { from, buckets, ...shape } of tables) {
  test(`distances have the buckets of transformers' T5: ${JSON.stringify(shape)}`, () => {
    assert.deepEqual(
      buckets.map((_, i) => t5BucketOf(from + i, shape)),
      buckets,
    )
  })
}

test('both sides of an odd number of buckets have as many as those of the even one below, as in transformers', () => {
  for (let distance = -40; distance <= 40; distance++) {
    const [odd, even] = [9, 8].map((count) => t5BucketOf(distance, { count, furthest: 20, both: true }))
    assert.equal(odd, even)
  }
})
