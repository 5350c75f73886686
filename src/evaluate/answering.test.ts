import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Question, rowsOf } from './answering.ts'

test('questions are rows by number', () => {
  const rows = rowsOf([{ text: 'a', id: 7 }, { text: 'b' }])
  assert.deepEqual(
    rows.map(({ values, line }) => [line, ...values.keys()]),
    [
      [1, 'text', 'id'],
      [2, 'text'],
    ],
  )
  assert.deepEqual([...rowsOf([['a', '']])[0]!.values.values()], ['a', ''])
})

test('what is no question is said in plain words', () => {
  const says = (questions: unknown, message: RegExp): void =>
    assert.throws(() => rowsOf(questions as Question[]), { name: 'UserError', message })
  says('text', /The questions are "text"; expected a list/)
  says([null], /Question 1 is null; expected a text, a pair of texts, or columns/)
  says(['a', 3], /Question 2 is 3; /)
  says([['a']], /Question 1 is no pair of texts: \["a"\]/)
  says([['a', 'b'], 'c'], /Question 2 is one text, and question 1 a pair/)
  says(['a', ''], /Question 2 is empty/)
})
