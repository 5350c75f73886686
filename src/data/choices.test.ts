import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choiceColumns, choicesOf, rightChoice } from './choices.ts'
import type { Row } from './row.ts'

const row = (values: Record<string, unknown>): Row => ({ values: new Map(Object.entries(values)), file: 'train.jsonl', line: 7 })
const refused = (make: () => unknown, message: RegExp) =>
  assert.throws(
    make,
    (error: Error) => error.name === 'UserError' && message.test(error.message) && error.message.startsWith('train.jsonl:7: '),
  )

const swag = { sent1: 'He sits.', sent2: 'He', ending0: 'stands.', ending1: 'flies.', ending2: 'is.', ending3: 'was.', label: 2 }
const arc = { question: 'What falls?', choices: { text: ['rain', 'smoke', 'heat'], label: ['A', 'B', 'C'] }, answerKey: 'B' }

test('usual columns are known by their names', () => {
  const label = (values: Record<string, unknown>): unknown[] => {
    const { text, pair, choices, label } = choiceColumns(row(values), null)
    return [
      text,
      pair,
      choicesOf(row(values), choices).texts.length,
      rightChoice(row(values), label, choicesOf(row(values), choices).names),
    ]
  }
  assert.deepEqual(label(swag), ['sent1', 'sent2', 4, 2])
  assert.deepEqual(label(arc), ['question', null, 3, 1])
  assert.deepEqual(label({ article: 'Long.', question: 'Who?', options: ['he', 'she'], answer: 'B' }), ['article', 'question', 2, 1])
  assert.deepEqual(label({ ctx: 'He', endings: ['is', 'was'], label: '1' }), ['ctx', null, 2, 1])
  assert.deepEqual(label({ goal: 'Open it', sol1: 'pull', sol2: 'push', label: 0 }), ['goal', null, 2, 0])
  assert.deepEqual(label({ question: 'Who?', choices: ['he', 'she', 'they'], label: 2 }), ['question', null, 3, 2])
})

test('named columns go first, and take the rest of a usual form of that text', () => {
  const named = { text: 'q', choices: ['right', 'wrong'], label: 'key' }
  assert.deepEqual(choiceColumns(row({ q: 1 }), named), { pair: null, ...named })
  assert.equal(choiceColumns(row({ ...arc, gold: 'A' }), { text: 'question', label: 'gold' }).label, 'gold')
  refused(() => choiceColumns(row(arc), { text: 'stem' }), /no columns that look like a question and its choices; the row has columns/)
})

test('choices: a list, a list with labels, or columns, the last of which may be empty', () => {
  const [texts, labels] = [
    ['x', 'y'],
    ['1', '2'],
  ]
  for (const [given, names] of [
    [texts, ['0', '1']],
    [{ text: texts, label: labels }, labels],
    [{ text: texts, label: [1, 2] }, labels],
    [texts.map((text, i) => ({ text, label: labels[i] })), labels],
  ] as const) {
    assert.deepEqual(choicesOf(row({ choices: given }), 'choices'), { texts, names })
  }
  const columns = ['a', 'b', 'c']
  assert.deepEqual(choicesOf(row({ a: 'x', b: 'y', c: '' }), columns).texts, texts)
  refused(() => choicesOf(row({ a: 'x', b: '', c: 'y' }), columns), /column "b" is empty/)
  refused(() => choicesOf(row({ a: 'x', b: '', c: null }), columns), /has 1 choices; expected two or more/)
  refused(() => choicesOf(row({ choices: ['x'] }), 'choices'), /has 1 choices/)
  refused(() => choicesOf(row({ choices: 'x' }), 'choices'), /expected a list of texts, or/)
  refused(() => choicesOf(row({ choices: ['x', ''] }), 'choices'), /expected a list of texts, or/)
  refused(() => choicesOf(row({ choices: { text: texts, label: ['A'] } }), 'choices'), /of equal lengths/)
  refused(() => choicesOf(row({ choices: { text: texts, label: ['A', 'A'] } }), 'choices'), /calls two choices "A"/)
})

test('the right choice by number, letter or name', () => {
  const place = (label: unknown, names: readonly string[]) => rightChoice(row({ label }), 'label', names)
  assert.deepEqual([place(1, ['0', '1']), place('1', ['0', '1']), place('B', ['0', '1'])], [1, 1, 1])
  // Choices that are called by the row count from whatever it says.
  assert.deepEqual([place('1', ['1', '2']), place(2, ['1', '2']), place('B', ['B', 'A'])], [0, 1, 0])
  refused(() => place(2, ['0', '1']), /"label" is 2; the row's choices are 0, 1 \(numbered from 0/)
  refused(() => place('C', ['0', '1']), /"label" is "C"/)
  refused(() => place('C', ['A', 'B']), /the row's choices are A, B\.$/)
  refused(() => place(-1, ['0', '1']), /"label" is -1/)
})
