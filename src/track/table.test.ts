import assert from 'node:assert/strict'
import { test } from 'node:test'
import { table } from './table.ts'

test('columns are aligned, numbers to the right, words to the left, without spaces at the end', () => {
  const rows = [
    ['name', 'weights', ''],
    ['base', '1,234', 'all'],
    ['déjà vu', '7'],
  ]
  assert.equal(table(rows, { color: false }), 'name     weights\nbase       1,234  all\ndéjà vu        7\n')
})

test('a column is aligned as asked', () => {
  assert.equal(
    table(
      [
        ['a', '100'],
        ['bb', '2'],
      ],
      { header: false, color: true, align: ['right', 'left'] },
    ),
    ' a  100\nbb  2\n',
  )
})

test('the header alone is dimmed, and only in colour', () => {
  const rows = [
    ['a', 'b'],
    ['1', '2'],
  ]
  assert.equal(table(rows, { color: true }), '\u001b[2ma  b\u001b[22m\n1  2\n')
  assert.equal(table([], { color: true }), '')
})
