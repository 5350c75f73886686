import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { simpleTokenizer } from '../../test/behaviour/simple-tokenizer.ts'
import { readingFields } from '../data/reading.ts'
import { textBlocks } from './text-blocks.ts'

const [START, END] = [90, 91]
const tokenizer = simpleTokenizer({
  tokens: (text) => text.split(' ').map(Number),
  framed: (ids) => ({ ids: [START, ...ids, END], types: [0, ...ids.map(() => 0), 0] }),
})
const sourceOf = (maxLength: number) => ({
  reading: { columns: null, maxLength, spans: readingFields.spans.parse(undefined), texts: readingFields.texts.parse(undefined) },
  ...{ tokenizer: () => tokenizer, labelled: false, end: null, vocabularySize: 100, maxPositions: 64 },
})

test('texts are cut into rows as long as rows may be, and no token is lost but a last one that stands alone', () => {
  const texts = fc.array(fc.array(fc.integer({ min: 0, max: 80 }), { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(texts, fc.integer({ min: 4, max: 20 }), fc.boolean(), (ids, maxLength, ended) => {
      const end = ended ? 89 : null
      const rows = ids.map((text, i) => ({ values: new Map([['text', text.join(' ')]]), file: 'a.txt', line: i + 1 }))
      const examples = textBlocks(rows, sourceOf(maxLength), end).flatMap((item) => item.examples)
      const all = ids.flatMap((text) => (ended ? [...text, 89] : text))
      const whole = all.length % (maxLength - 2) === 1 ? all.slice(0, -1) : all
      assert.deepEqual(
        examples.flatMap((example) => [...example.ids.slice(1, -1)]),
        whole,
      )
      for (const [i, { ids: row }] of examples.entries()) {
        assert.deepEqual([row[0], row.at(-1)], [START, END])
        assert.ok(i === examples.length - 1 ? row.length <= maxLength : row.length === maxLength)
      }
    }),
  )
})

test('a row is named by the line on which its first token stands', () => {
  const rows = ['1 2 3', '4', '5 6 7 8'].map((text, i) => ({ values: new Map([['text', text]]), file: 'a.txt', line: i + 1 }))
  assert.deepEqual(
    textBlocks(rows, sourceOf(6), null).map(({ line }) => line),
    [1, 3],
  )
})

test('rows without room for two tokens of text are refused: one alone has nothing around it', () => {
  const rows = [{ values: new Map([['text', '1 2 3']]), file: 'a.txt', line: 1 }]
  for (const maxLength of [1, 2, 3])
    assert.throws(
      () => textBlocks(rows, sourceOf(maxLength), null),
      new RegExp(`^UserError: A length of ${maxLength} tokens leaves no room for two of text beside 2 special ones; raise maxLength\\.$`),
    )
  assert.equal(textBlocks(rows, sourceOf(4), null).length, 1)
})
