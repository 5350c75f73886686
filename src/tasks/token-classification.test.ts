import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simpleTokenizer } from '../../test/behaviour/simple-tokenizer.ts'
import type { Example } from '../data/examples.ts'
import { readingFields } from '../data/reading.ts'
import type { Row } from '../data/row.ts'
import { tokenClassification } from './token-classification.ts'

/** Two letters a token; 1 and 2 are special. */
const tokenizer = simpleTokenizer({
  tokens: (text) => (text.trim().match(/.{1,2}/g) ?? []).map((piece) => 10 + piece.length),
  framed: (ids) => ({ ids: [1, ...ids, 2], types: [0, ...ids.map(() => 0), 0] }),
})
const names = ['O', 'B-PER', 'I-PER']
const open = (labels: readonly string[]) =>
  tokenClassification.opened!({ labels, prompt: null, vocabularySize: 20, tokenizer: () => tokenizer })
const row = (values: Record<string, unknown>): Row => ({ values: new Map(Object.entries(values)), file: 'a.jsonl', line: 2 })
/** The example of one row, with its labels or without. */
const read = (one: Row, labelled = true, maxLength = 99): Example => {
  const reading = { columns: null, maxLength, spans: readingFields.spans.parse(undefined), texts: readingFields.texts.parse(undefined) }
  const source = { reading, labelled, tokenizer: () => tokenizer, vocabularySize: 20, maxPositions: 512, end: null }
  return tokenClassification.read([one], source, names)[0]!.examples[0]!
}

test('a word’s label stands at its first token; other and special tokens have none', () => {
  const words = row({ tokens: ['Anna', 'is', 'here'], ner_tags: ['B-PER', 0, 'I-PER'] })
  const { ids, label } = read(words)
  assert.deepEqual([...ids], [1, 12, 12, 12, 12, 12, 2])
  assert.deepEqual(label, [-100, 1, -100, 0, 2, -100, -100])
  assert.deepEqual(read(words, true, 5).label, [-100, 1, -100, 0, -100])
  assert.deepEqual(read(words, false).label, [-100, 0, -100, 0, 0, -100, -100])
})

test('rows of ids or of text are none of words; odd ones are refused', () => {
  assert.deepEqual(read(row({ input_ids: [1, 2], tokens: ['a'], labels: [0, 1] })).label, [0, 1])
  assert.throws(() => read(row({ text: 'a' }), false), /nothing of the kind/)
  assert.throws(
    () => read(row({ tokens: ['a', 'b'], ner_tags: [0] })),
    /a\.jsonl:2: "ner_tags" is \[0\]; expected an array with a label for each of the 2 words/,
  )
  assert.throws(() => read(row({ tokens: ['a'], ner_tags: ['B-PRE'] })), /unknown label "B-PRE".*Did you mean "B-PER"/)
  assert.throws(() => read(row({ tokens: ['a', 3], ner_tags: [0, 0] })), /"tokens"\[1\] is 3; expected a word/)
})

test('tags of spans are judged by spans, others by tokens alone; an answer is one label a word', () => {
  const logits = Float32Array.from([0, 0, 9, /* B */ 0, 9, 0, /* other */ 9, 0, 0, /* I */ 0, 0, 9, /* O */ 0, 9, 0])
  const example = {
    ids: new Int32Array(5),
    types: new Int32Array(5),
    mask: new Uint8Array(5),
    label: [-100, 1, -100, 2, 0],
    file: '',
    line: 0,
  }
  const answered = (label: readonly number[], given = logits) => ({
    item: { file: '', line: 0, examples: [{ ...example, label }] },
    logits: [given],
  })
  const { f1, precision, recall, accuracy } = open(names).metrics([answered(example.label)], names)
  assert.deepEqual([precision, recall, f1, accuracy], [0.5, 1, 2 / 3, 2 / 3])
  assert.equal(open(names).primary, 'f1')
  assert.deepEqual(Object.keys(open(['N', 'V']).metrics([answered([0], Float32Array.of(1, 0))], ['N', 'V'])), ['accuracy', 'loss'])
  assert.deepEqual(open(['N', 'V']).metricNames, ['accuracy', 'loss'])
  assert.deepEqual(open(names).answer(answered(example.label), names).labels, ['B-PER', 'I-PER', 'B-PER'])
})

test('classes are found among names, or counted from the numbers', () => {
  const tagged = [row({ tokens: ['a', 'b'], tags: ['O', 'B-X'] }), row({ tokens: ['a'], tags: ['I-X'] })]
  assert.deepEqual(tokenClassification.discover(tagged, 'tags'), ['B-X', 'I-X', 'O'])
  assert.deepEqual(tokenClassification.discover([row({ tokens: ['a', 'b'], tags: [0, 3] })], 'tags'), ['0', '1', '2', '3'])
})
