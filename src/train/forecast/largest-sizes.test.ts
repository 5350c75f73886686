import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goldenSubject } from '../../../test/behaviour/golden-bases.ts'
import { runConfig } from '../../config/run-config.ts'
import type { Example } from '../../data/examples.ts'
import { untouched } from '../../methods/in-place.ts'
import { chunksOf, computedTokens } from '../chunks.ts'
import { planRun } from '../plan.ts'
import { evenChunks, largestSizes } from './largest-sizes.ts'
import type { MemoryOf } from './memory-need.ts'

const trainOf = (train: object) => runConfig.parse({ model: 'm', task: 'regression', data: { train: 't' }, train }).train
const t5 = goldenSubject({ golden: 't5-s2s-lora', task: 'seq2seq-lm' })
const plain = { virtualTokens: 0 }

test('of the chunks of an encoder and a decoder the largest is found by both', () => {
  const row = (length: number) => ({
    ids: new Int32Array(length).fill(3),
    types: new Int32Array(length),
    mask: new Uint8Array(length).fill(1),
  })
  const lengths = Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? [4, 14] : i % 3 === 1 ? [13, 2] : [2, 2]))
  const examples = lengths.map(([read, written], i): Example => {
    const label = Array.from({ length: written! }, () => 3)
    return { ...row(read!), decoder: row(written!), label, file: 'f', line: i + 1 }
  })
  const train = trainOf({ batchSize: 6, tokensAtOnce: 24, epochs: 2 })
  const run = { open: { subject: t5, task: {} }, method: untouched, examples } as unknown as MemoryOf
  const plan = planRun(examples, train)
  const chunks = Array.from({ length: plan.totalSteps }, (_, step) => plan.microBatches(step)).flatMap((batches) =>
    batches.flatMap((batch) => chunksOf(batch, 24, plain, 1)),
  )
  const sum = (of: (example: Example) => number) => Math.max(...chunks.map((chunk) => chunk.reduce((all, each) => all + of(each), 0)))
  const found = largestSizes(run)(train).map(({ tokens, decoderTokens }) => tokens! + decoderTokens!)
  assert.equal(
    Math.max(...found),
    sum((each) => computedTokens(each, plain)),
  )
})

test('chunks of rows that are not read hold whole examples, all passes of them', () => {
  const bert = goldenSubject({ golden: 'bert-cls-lora', task: 'sequence-classification' })
  const of = (tokensAtOnce: number | null, subject = bert, rows = 1, passes = 2) => {
    const { sizes, count } = evenChunks(trainOf({ batchSize: 16, tokensAtOnce }), subject, { length: 10, rows, passes })
    return [sizes.rows, count]
  }
  assert.deepEqual(of(null), [32, 1])
  assert.deepEqual(of(1), [2, 16])
  assert.deepEqual(of(80), [8, 4])
  assert.deepEqual(of(1, bert, 4), [8, 16])
  assert.deepEqual(of(80, t5, 1, 1), [4, 4], 'a decoder has as many tokens again')
})
