import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { debertaBucketOf, rowOf, rowTable } from './deberta-buckets.ts'

interface Table {
  readonly buckets: number
  readonly farthest: number
  readonly values: readonly number[]
}
const tables: Table[] = JSON.parse(readFileSync(join(import.meta.dirname, '../../test/golden/deberta-buckets.json'), 'utf8'))

for (const { values, ...of } of tables) {
  test(`${of.buckets} buckets for distances up to ${of.farthest} are those of transformers`, () => {
    const reach = (values.length - 1) / 2
    assert.deepEqual(
      values.map((_, i) => debertaBucketOf(i - reach, of)),
      values,
    )
  })
}

test('distances beyond the table have its first or last row', () => {
  for (const of of [...tables, { buckets: 0, farthest: 12 }]) {
    const { rows, reach } = rowTable(of)
    assert.equal(rows.length, 2 * reach + 1)
    for (const more of [1, 2, 50]) {
      assert.equal(rowOf(reach + more, of), rows.at(-1))
      assert.equal(rowOf(-reach - more, of), rows[0])
    }
  }
})
