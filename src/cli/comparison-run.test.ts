import assert from 'node:assert/strict'
import { test } from 'node:test'
import { typed } from './comparison-run.ts'

test('the command that goes on is one where names have spaces and settings quotes', () => {
  assert.equal(
    typed('compare', 'my arms.yaml', { quick: true, set: ['run.data={ train: "a" }', 'by=best'], out: 'runs/a b' }),
    'adatune compare "my arms.yaml" --quick --set "run.data={ train: \\"a\\" }" --set by=best --out "runs/a b"',
  )
  assert.equal(typed('claims', 'few-shot', { model: 'm', set: [] }), 'adatune claims few-shot --model m')
})
