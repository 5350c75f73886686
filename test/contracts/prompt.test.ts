import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pack } from '../../src/data/pack.ts'
import { greater, sub, where } from '../../src/graph/ops/elementwise.ts'
import { oneHot } from '../../src/graph/ops/indexing.ts'
import { gemm } from '../../src/graph/ops/matmul.ts'
import { reshape } from '../../src/graph/ops/movement.ts'
import { normal } from '../../src/methods/initial.ts'
import type { Method, ParameterSpec } from '../../src/nn/method.ts'
import { readTensor } from '../../src/weights/safetensors.ts'
import { assertNear, example, rows, tinySubject } from '../behaviour/tiny-model.ts'
import { alone, assertGradients, assertLossFalls, logitsOf, plain, startOf } from './trial.ts'
import { virtualRow } from './virtual-rows.ts'

const virtualTokens = 3

/** Prompt tuning (Lester et al. 2021): learned word embeddings at the virtual tokens in front of each row. */
const prompt: Method = {
  ...plain,
  name: 'prompt',
  sequence: { virtualTokens, positionShift: 0 },
  parameters(site): Record<string, ParameterSpec> {
    if (site.kind !== 'embedding') return {}
    const shape = [virtualTokens, site.hidden]
    return { prompt: { shape, init: normal(shape, 1) } }
  },
  embedding(_site, roles, { ids, value }) {
    const index = sub(-1, ids)
    const learned = gemm(oneHot(index, virtualTokens), roles.prompt!)
    return where(greater(reshape(index, [...index.shape, 1]), -1), learned, value)
  },
}

const subjects = {
  BERT: { subject: tinySubject(), first: 0 },
  RoBERTa: { subject: tinySubject({ model_type: 'roberta', pad_token_id: 1 }), first: 2 },
}
for (const [name, { subject, first }] of Object.entries(subjects)) {
  const virtual = rows.map((row) => virtualRow(row, virtualTokens))
  const table = `${subject.model.wiring.prefix}.embeddings.word_embeddings`

  test(`prompt tuning on a packed ${name} learns and has the right gradients`, async () => {
    const state = startOf(subject, prompt)
    assert.deepEqual(
      [...state.keys()].filter((key) => key.endsWith('.prompt')),
      [`${table}.prompt`],
    )
    await assertLossFalls(subject, prompt, state, virtual, 0.3)
    await assertGradients(subject, prompt, state, virtual, { pattern: /\.prompt$/ })
  })

  test(`a prompt of words is the packed ${name} on rows with these words in front`, async () => {
    const state = startOf(subject, prompt)
    const words = [7, 40, 12]
    const { data: learned, shape } = state.get(`${table}.prompt`)!
    const embeddings = readTensor(subject.model.find(`${table}.weight`)!)
    const size = shape[1]!
    words.forEach((word, k) => {
      learned.set(embeddings.subarray(word * size, (word + 1) * size), k * size)
    })
    const spelled = virtual.map((row) => ({ ...row, ids: row.ids.map((id) => (id < 0 ? words[-1 - id]! : id)) }))
    const given = await logitsOf(subject, prompt, state, virtual)
    const expected = await logitsOf(subject, alone, startOf(subject, alone), spelled)
    given.forEach((logits, i) => {
      assertNear(logits, expected[i]!, 1e-5)
    })
  })

  test(`positions of a ${name} run on over the virtual tokens, and its head pools the first of them`, () => {
    const { positions, rowStart } = pack([virtual[1]!, virtual[2]!], subject.model.wiring.positions)
    const counting = (length: number): number[] => Array.from({ length }, (_, i) => first + i)
    assert.deepEqual(Array.from(positions), [...counting(9 + virtualTokens), ...counting(3 + virtualTokens)])
    assert.deepEqual(Array.from(rowStart), [0, 9 + virtualTokens])
  })
}

test('the labels of virtual tokens are ignored and spans move', () => {
  assert.deepEqual(virtualRow(example(2, [1, 0]), 2).label, [-100, -100, 1, 0])
  assert.deepEqual(virtualRow(example(4, { start: 1, end: 3 }), 2).label, { start: 3, end: 5 })
})
