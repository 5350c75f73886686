import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simpleTokenizer } from '../../test/behaviour/simple-tokenizer.ts'
import { readingFields } from '../data/reading.ts'
import { tasks } from './index.ts'

const START = 90
const tokenizer = simpleTokenizer({
  tokens: (text) => text.split(' ').filter(Boolean).map(Number),
  framed: (ids) => ({ ids: [START, ...ids], types: [0, ...ids.map(() => 0)] }),
})
const prompt = { source: '1 2 3 4 5 6 7 8 9', target: '11 12' }

function read(values: object, maxLength: number, labelled: boolean): number[] {
  const texts = readingFields.texts.parse({ separator: '80' })
  const reading = { columns: null, maxLength, spans: readingFields.spans.parse(undefined), texts }
  const source = { reading, tokenizer: () => tokenizer, labelled, end: 70, vocabularySize: 100, maxPositions: 64 }
  const row = { values: new Map(Object.entries(values)), file: 'a.jsonl', line: 1 }
  return [...tasks['causal-lm'].read([row], source, [])[0]!.examples[0]!.ids]
}

test('a prompt is cut so that a row with its special tokens is as long as rows may be', () => {
  assert.deepEqual(read(prompt, 8, true), [START, 1, 2, 3, 80, 11, 12, 70])
  assert.deepEqual(read(prompt, 8, false), [START, 1, 2, 3, 4, 5, 6, 80])
  assert.equal(read(prompt, 20, true).length, 14)
  assert.throws(() => read(prompt, 5, true), /a\.jsonl:1: what is to be written leaves no room for the prompt in 5 tokens/)
})
