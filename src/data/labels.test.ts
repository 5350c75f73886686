import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { discoverLabels, labelIndex, numberLabel, spanLabel, tokenLabels } from './labels.ts'
import type { Row } from './row.ts'

const row = (values: Record<string, unknown>, line = 7): Row => ({ values: new Map(Object.entries(values)), file: 'train.jsonl', line })
const rowsOf = (...labels: unknown[]) => labels.map((label, i) => row({ label }, i + 1))
const names = (...labels: unknown[]) => discoverLabels(rowsOf(...labels), 'label').names

test('labels are discovered sorted: integers by size, names by letter', () => {
  assert.deepEqual(names(10, 2, 0, 2), ['0', '2', '10'])
  assert.deepEqual(names('10', '2', '-1'), ['-1', '2', '10'])
  assert.deepEqual(names('pos', 'neg', 'pos'), ['neg', 'pos'])
  assert.deepEqual(names('__proto__', 'constructor'), ['__proto__', 'constructor'])
  assert.deepEqual(names(true, false), ['false', 'true'])
  assert.throws(() => names(1, 0.5), /^UserError: train\.jsonl:2: "label" is 0\.5;/)
  assert.throws(() => names(1, null), /^UserError: train\.jsonl:2: column "label" is empty/)
  assert.throws(() => discoverLabels([row({ lable: 1 })], 'label'), /no column "label"; the row has columns "lable"\. Did you mean "lable"/)
})

test('a label is found by name, or by index where names are no integers', () => {
  const index = (known: string[], value: unknown) => labelIndex({ names: known }, value, row({}), 'label')
  assert.equal(index(['neg', 'pos'], 'pos'), 1)
  assert.equal(index(['neg', 'pos'], 1), 1)
  assert.equal(index(['neg', 'pos'], '0'), 0)
  assert.equal(index(['1', '2', '5'], 2), 1)
  assert.equal(index(['1', '2', '5'], '5'), 2)
  assert.throws(() => index(['1', '2', '5'], 0), /^UserError: train\.jsonl:7: unknown label 0 in "label"; the labels are 1, 2, 5\./)
  assert.throws(() => index(['neg', 'pos'], 2), /unknown label 2/)
  assert.throws(() => index(['neg', 'pos'], -1), /unknown label -1/)
  assert.throws(() => index(['negative', 'positive'], 'postive'), /unknown label "postive".*Did you mean "positive"/)
})

test('every discovered label has an index, and its name is the label', () => {
  const label = fc.oneof(fc.array(fc.integer(), { minLength: 1 }), fc.array(fc.string({ minLength: 1 }), { minLength: 1 }))
  fc.assert(
    fc.property(label, (labels) => {
      const rows = rowsOf(...labels)
      const map = discoverLabels(rows, 'label')
      for (const r of rows) {
        const label = r.values.get('label')
        assert.equal(map.names[labelIndex(map, label, r, 'label')], String(label))
      }
    }),
  )
})

test('regression labels are finite numbers', () => {
  assert.equal(numberLabel('3.5', row({}), 'label'), 3.5)
  assert.equal(numberLabel(-2, row({}), 'label'), -2)
  for (const value of ['', ' ', 'high', NaN, Infinity, '1e999', null, [1], true]) {
    assert.throws(() => numberLabel(value, row({}), 'label'), /^UserError: train\.jsonl:7: "label" is .*finite number/)
  }
})

test('token labels are classes or -100', () => {
  assert.deepEqual(tokenLabels([0, -100, 2], 3, row({}), 'labels'), [0, -100, 2])
  assert.throws(
    () => tokenLabels([0, 3], 3, row({}), 'labels'),
    /train\.jsonl:7: "labels"\[1\] is 3; expected an integer from 0 to 2, or -100/,
  )
  assert.throws(() => tokenLabels([0.5], 3, row({}), 'labels'), /"labels"\[0\] is 0\.5/)
  assert.throws(() => tokenLabels('0 1', 3, row({}), 'labels'), /expected an array/)
})

test('spans come from their two columns', () => {
  assert.deepEqual(spanLabel(row({ start_positions: 3, end_positions: '4' })), { start: 3, end: 4 })
  assert.throws(() => spanLabel(row({ start_positions: 3 })), /no column "end_positions"/)
  assert.throws(() => spanLabel(row({ start_positions: -1, end_positions: 4 })), /"start_positions" is -1/)
  assert.throws(() => spanLabel(row({ start_positions: 5, end_positions: 4 })), /ends at token 4, before it starts at 5/)
})
