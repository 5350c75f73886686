import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bringsTokens } from './token-row.ts'

test('a row brings tokens where its cell holds something: columns of parquet and tables are there for every row', () => {
  const row = (...values: [string, unknown][]) => ({ values: new Map(values), file: 'rows.jsonl', line: 1 })
  assert.ok(bringsTokens(row(['input_ids', [3]])) && bringsTokens(row(['input_ids', []])))
  assert.ok(!bringsTokens(row(['input_ids', null], ['text', 'a'])) && !bringsTokens(row(['text', 'a'])))
})
