import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simpleTokenizer } from '../../test/behaviour/simple-tokenizer.ts'
import { readingFields } from '../data/reading.ts'
import { keyOf } from '../random/key.ts'
import { maskedLm } from './masked-lm.ts'

const special = { all: new Set([0, 1, 2]), mask: 2, unknown: null }
const opened = (mask: number | null = 2) => {
  const tokenizer = simpleTokenizer({ special: { ...special, mask } })
  return maskedLm.opened!({ labels: [], prompt: null, vocabularySize: 40, tokenizer: () => tokenizer })
}
const length = 4000
const row = {
  ids: Int32Array.from({ length }, (_, i) => (i % 100 === 0 ? 1 : 3 + (i % 37))),
  types: new Int32Array(length),
  mask: new Uint8Array(length).fill(1),
  ...{ label: null, file: 'a.txt', line: 3 },
}

test('15 % of the words are asked for, 80 % of them masked, 10 % replaced, and no special token', () => {
  const { drawn } = opened()
  const { ids, label } = drawn!(row, keyOf('a'))
  const labels = label as readonly number[]
  const asked = labels.flatMap((word, i) => (word >= 0 ? [i] : []))
  assert.ok(asked.every((i) => labels[i] === row.ids[i] && row.ids[i] !== 1))
  const share = (count: number, of: number): number => count / of
  assert.ok(Math.abs(share(asked.length, length) - 0.15) < 0.02, `${asked.length}`)
  const masked = asked.filter((i) => ids[i] === 2).length
  const kept = asked.filter((i) => ids[i] === row.ids[i]).length
  assert.ok(Math.abs(share(masked, asked.length) - 0.8) < 0.06, `${masked}`)
  assert.ok(Math.abs(share(kept, asked.length) - 0.1) < 0.05, `${kept}`)
  ids.forEach((id, i) => {
    if (labels[i]! < 0) assert.equal(id, row.ids[i])
  })
})

test('what is asked is a function of the key, and the row itself stays', () => {
  const { drawn } = opened()
  const before = row.ids.slice()
  assert.deepEqual(drawn!(row, keyOf('a')), drawn!(row, keyOf('a')))
  assert.notDeepEqual(drawn!(row, keyOf('a')).label, drawn!(row, keyOf('b')).label)
  assert.deepEqual(row.ids, before)
})

test('a row of one word is asked for it, and rows with labels of their own are left alone', () => {
  const short = { ...row, ids: Int32Array.of(1, 9, 1) }
  for (const k of [0, 1, 2, 3]) assert.deepEqual(opened().drawn!(short, keyOf(k)).label, [-100, 9, -100])
  const given = { ...short, label: [-100, 4, -100] }
  assert.equal(opened().drawn!(given, keyOf('a')), given)
  assert.throws(() => opened().drawn!({ ...row, ids: Int32Array.of(0, 1) }, keyOf('a')), /a\.txt:3: only special tokens/)
  assert.throws(() => opened(null).drawn!(short, keyOf('a')), /no mask token/)
})

test('loss and perplexity are of all labels, not the mean over rows, accuracy of the likeliest words', () => {
  const item = (label: number[]) => ({ file: '', line: 0, examples: [{ ...row, label }] })
  const two = [Float32Array.of(Math.log(0.5), 7, Math.log(0.5), Math.log(0.125), 3, Math.log(0.6))]
  const one = [Float32Array.of(Math.log(0.5), 7, Math.log(0.5))]
  const metrics = maskedLm.metrics(
    [
      { item: item([-100, 7, 4]), logits: two },
      { item: item([-100, 8, -100]), logits: one },
    ],
    [],
  )
  assert.equal(metrics.accuracy, 1 / 3)
  assert.ok(Math.abs(metrics.loss! - Math.log(32) / 3) < 1e-6 && Math.abs(metrics.perplexity! - 32 ** (1 / 3)) < 1e-5)
})

test('packed texts are one after another where they are scored, and questions stay apart', () => {
  const tokenizer = simpleTokenizer({
    tokens: (text) => text.split(' ').map(Number),
    framed: (ids) => ({ ids: [0, ...ids, 1], types: [0, ...ids.map(() => 0), 0] }),
    encode: (text) => ({ ids: [0, ...text.split(' ').map(Number), 1], types: text.split(' ').map(() => 0) }),
  })
  const texts = readingFields.texts.parse({ packed: true })
  const reading = { columns: null, maxLength: 20, spans: readingFields.spans.parse(undefined), texts }
  const rows = ['5 2 7', '8 2'].map((text, i) => ({ values: new Map([['text', text]]), file: 'a.txt', line: i + 1 }))
  const read = (labelled: boolean) =>
    opened().read(rows, { reading, labelled, tokenizer: () => tokenizer, end: null, vocabularySize: 40, maxPositions: 64 }, [])
  const idsOf = (labelled: boolean): number[][] => read(labelled).map(({ examples }) => [...examples[0]!.ids])
  assert.deepEqual(idsOf(true), [[0, 5, 2, 7, 8, 2, 1]])
  assert.deepEqual(idsOf(false), [
    [0, 5, 2, 7, 1],
    [0, 8, 2, 1],
  ])
})
