import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type ExampleOptions, examplesOf, type TextEncoder } from './examples.ts'
import { readRows } from './read-rows.ts'
import type { Row } from './row.ts'

const folder = mkdtempSync(join(tmpdir(), 'adatune-examples-'))
after(() => rmSync(folder, { recursive: true }))

const row = (values: Record<string, unknown>, line = 7): Row => ({ values: new Map(Object.entries(values)), file: 'train.jsonl', line })
/** One token a letter: its place in the alphabet. */
const letters: TextEncoder = {
  encode(text, pair, maxLength) {
    const ids = [...text, ...(pair ?? '')].map((letter) => letter.charCodeAt(0) - 97)
    return { ids: ids.slice(0, maxLength), types: ids.map((_, i) => (i < text.length ? 0 : 1)).slice(0, maxLength) }
  },
}
const never = (): TextEncoder => {
  throw new Error('no tokenizer is needed')
}
const options = (some: Partial<ExampleOptions> = {}): ExampleOptions => ({
  columns: null,
  tokenizer: () => letters,
  maxLength: 6,
  vocabularySize: 26,
  maxPositions: 8,
  typeVocabularySize: 2,
  label: () => null,
  ...some,
})
const only = (values: Record<string, unknown>, some: Partial<ExampleOptions> = {}) => examplesOf([row(values)], options(some))[0]!
const refused = (values: Record<string, unknown>, message: RegExp, some: Partial<ExampleOptions> = {}) =>
  assert.throws(
    () => only(values, some),
    (error: Error) => error.name === 'UserError' && message.test(error.message) && error.message.startsWith('train.jsonl:7: '),
  )

test('a row with input_ids needs no tokenizer and keeps its masked tokens', () => {
  const example = only({ input_ids: [5, 6, 7], attention_mask: [1, 1, 0], token_type_ids: [0, 1, 1], text: 'x' }, { tokenizer: never })
  assert.deepEqual(example, {
    ids: Int32Array.of(5, 6, 7),
    types: Int32Array.of(0, 1, 1),
    mask: Uint8Array.of(1, 1, 0),
    label: null,
    file: 'train.jsonl',
    line: 7,
  })
  const bare = only({ input_ids: [5, 6, 7, 1, 2, 3, 4, 5] }, { tokenizer: never })
  assert.deepEqual(
    [[...bare.types], [...bare.mask]],
    [
      [0, 0, 0, 0, 0, 0, 0, 0],
      [1, 1, 1, 1, 1, 1, 1, 1],
    ],
  )
})

test('input_ids that do not fit are refused', () => {
  refused({ input_ids: [1, 26] }, /"input_ids"\[1\] is 26; expected an integer from 0 to 25/)
  refused({ input_ids: [1, 0.5] }, /"input_ids"\[1\] is 0\.5/)
  refused({ input_ids: '[1, 2]' }, /expected an array/)
  refused({ input_ids: [] }, /"input_ids" is empty/)
  refused({ input_ids: Array(9).fill(1) }, /9 tokens, but the model has 8 positions/)
  refused({ input_ids: [1, 2], attention_mask: [1] }, /"attention_mask" has 1 entries, but "input_ids" has 2/)
  refused({ input_ids: [1, 2], attention_mask: [1, 2] }, /"attention_mask"\[1\] is 2/)
  refused({ input_ids: [1, 2], attention_mask: [0, 0] }, /masks every token/)
  refused({ input_ids: [1, 2], token_type_ids: [0, 2] }, /"token_type_ids"\[1\] is 2; expected an integer from 0 to 1/)
})

test('text columns are guessed, a pair before a single text', () => {
  const ids = (values: Record<string, unknown>, some?: Partial<ExampleOptions>) => [...only(values, some).ids].join(' ')
  assert.equal(ids({ idx: 1, text: 'ab', label: 1 }), '0 1')
  assert.equal(ids({ question: 'ab', sentence: 'c' }), '0 1 2')
  assert.equal(ids({ hypothesis: 'c', premise: 'ab' }), '0 1 2')
  assert.deepEqual([...only({ sentence1: 'ab', sentence2: 'c' }).types], [0, 0, 1])
  assert.equal(ids({ text: 'ab', body: 'cd' }, { columns: { text: 'body', pair: 'text' } }), '2 3 0 1')
  assert.equal(ids({ text: 'ab', body: '' }, { columns: { text: 'text', pair: 'body' } }), '0 1')
  refused({ body: 'ab', label: 1 }, /no column that looks like text; the row has columns "body", "label"\./)
})

test('texts are cut to the shorter of maxLength and the positions', () => {
  assert.equal(only({ text: 'abcdefghij' }).ids.length, 6)
  assert.equal(only({ text: 'abcdefghij' }, { maxLength: 100 }).ids.length, 8)
})

test('rows without text, and tokens the model does not know, are refused', () => {
  refused({ txt: 'ab', label: 1 }, /no column "text"; the row has columns "txt", "label"\. Did you mean "txt"/, {
    columns: { text: 'text' },
  })
  refused({ text: '' }, /column "text" is empty/)
  refused({ text: null }, /column "text" is empty/)
  refused({ text: 5 }, /"text" is 5; expected text/)
  refused({ sentence1: 'a', sentence2: null }, /column "sentence2" is empty/)
  refused({ text: 'az' }, /token 25 of the tokenizer is not in the model's vocabulary of 20/, { vocabularySize: 20 })
  refused({ sentence1: 'a', sentence2: 'b' }, /needs 2 token types, but the model has 1/, { typeVocabularySize: 1 })
})

test('labels must fit the tokens', () => {
  const labelled = (label: ExampleOptions['label']) => only({ input_ids: [1, 2, 3] }, { label }).label
  assert.equal(
    labelled(() => 2),
    2,
  )
  assert.deepEqual(
    labelled(() => [0, -100, 1]),
    [0, -100, 1],
  )
  assert.deepEqual(
    labelled(() => ({ start: 0, end: 2 })),
    { start: 0, end: 2 },
  )
  assert.throws(() => labelled(() => [0, 1]), /^UserError: train\.jsonl:7: 2 token labels for 3 tokens/)
  assert.throws(
    () => labelled(() => ({ start: 0, end: 3 })),
    /^UserError: train\.jsonl:7: the span ends at token 3, but the row has 3 tokens/,
  )
})

test('a file is read in order; the tokenizer is loaded once', async () => {
  const file = join(folder, 'a.jsonl')
  writeFileSync(file, '{"input_ids": [9], "label": 1}\n\n{"text": "ab", "label": 0}\n{"text": "c", "label": 1}\n')
  let loads = 0
  const tokenizer = () => {
    loads++
    return letters
  }
  const examples = examplesOf(await readRows(file), options({ tokenizer, label: (r) => r.values.get('label') as number }))
  assert.deepEqual(
    examples.map(({ ids, label, line }) => [[...ids], label, line]),
    [
      [[9], 1, 1],
      [[0, 1], 0, 3],
      [[2], 1, 4],
    ],
  )
  assert.equal(loads, 1)
})
