import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNear, example, rows, settingOf, tinySubject } from '../../test/behaviour/tiny-model.ts'
import { alone, assertGradients, assertLossFalls, logitsOf, startOf } from '../../test/contracts/trial.ts'
import { virtualRow } from '../data/virtual-rows.ts'
import { arrangement } from '../evaluate/arrangement.ts'
import type { Subject } from '../evaluate/assembly.ts'
import type { Method } from '../nn/method.ts'
import { readTensor } from '../weights/safetensors.ts'
import { prompt, promptOptions } from './prompt.ts'

const virtualTokens = 3
const make = (subject: Subject, given: Record<string, unknown> = {}): Method =>
  prompt.create(promptOptions.parse({ name: 'prompt', tokens: virtualTokens, ...given }), settingOf(subject))
const tableOf = (subject: Subject): string => `${subject.model.wiring.prefix}.embeddings.word_embeddings`

const subjects = {
  BERT: { subject: tinySubject(), first: 0 },
  RoBERTa: { subject: tinySubject({ model_type: 'roberta', pad_token_id: 1 }), first: 2 },
}
for (const [name, { subject, first }] of Object.entries(subjects)) {
  const method = make(subject, { init: 'random' })
  const parameter = `${tableOf(subject)}.prompt.weight`

  test(`prompt tuning on a packed ${name} learns and has the right gradients`, async () => {
    const state = startOf(subject, method)
    assert.deepEqual(
      [...state.keys()].filter((key) => key.includes('.prompt.')),
      [parameter],
    )
    await assertLossFalls(subject, method, state, rows, 0.3)
    await assertGradients(subject, method, state, rows, { pattern: /\.prompt\.weight$/ })
  })

  test(`a prompt of words is the packed ${name} on rows with these words in front`, async () => {
    const state = startOf(subject, method)
    const words = [7, 40, 12]
    const { data: learned, shape } = state.get(parameter)!
    const embeddings = readTensor(subject.model.find(`${tableOf(subject)}.weight`)!)
    const size = shape[1]!
    words.forEach((word, k) => {
      learned.set(embeddings.subarray(word * size, (word + 1) * size), k * size)
    })
    const spelled = rows
      .map((row) => virtualRow(row, virtualTokens))
      .map((row) => ({ ...row, ids: row.ids.map((id) => (id < 0 ? words[-1 - id]! : id)) }))
    const given = await logitsOf(subject, method, state, rows)
    const expected = await logitsOf(subject, alone, startOf(subject, alone), spelled)
    given.forEach((logits, i) => {
      assertNear(logits, expected[i]!, 1e-5)
    })
  })

  test(`positions of a ${name} run on over the virtual tokens, and its head pools the first of them`, () => {
    const packed = arrangement(subject, method)
    const { positions, rowStart } = packed.batch(packed.rows([rows[1]!, rows[2]!]))
    const counting = (length: number): number[] => Array.from({ length }, (_, i) => first + i)
    assert.deepEqual(Array.from(positions), [...counting(9 + virtualTokens), ...counting(3 + virtualTokens)])
    assert.deepEqual(Array.from(rowStart), [0, 9 + virtualTokens])
  })
}

test('the labels of virtual tokens are ignored and spans move', () => {
  assert.deepEqual(virtualRow(example(2, [1, 0]), 2).label, [-100, -100, 1, 0])
  assert.deepEqual(virtualRow(example(4, { start: 1, end: 3 }), 2).label, { start: 3, end: 5 })
})

test('the same prompt starts with words of the vocabulary, or with those of a text over and over', () => {
  const subject = tinySubject()
  const table = readTensor(subject.model.find(`${tableOf(subject)}.weight`)!)
  const wordsOf = (method: Method): number[] => {
    const { data } = startOf(subject, method).get(`${tableOf(subject)}.prompt.weight`)!
    const row = (values: Float32Array, i: number): string => values.subarray(i * 16, (i + 1) * 16).join()
    const known = Array.from({ length: table.length / 16 }, (_, word) => row(table, word))
    return Array.from({ length: data.length / 16 }, (_, i) => known.indexOf(row(data, i)))
  }
  const drawn = wordsOf(make(subject))
  assert.ok(drawn.every((word) => word >= 0))
  assert.ok(new Set(drawn).size > 1)
  const setting = { ...settingOf(subject), encode: () => [4, 9] }
  const told = prompt.create(promptOptions.parse({ name: 'prompt', tokens: 5, init: 'text', text: 'a b' }), setting)
  assert.deepEqual(wordsOf(told), [4, 9, 4, 9, 4])
})

test('a text without the init that reads it, and the init without a text, are refused', () => {
  const subject = tinySubject()
  assert.throws(() => make(subject, { init: 'text' }), /needs the words/)
  assert.throws(() => make(subject, { text: 'a b' }), /init: text/)
})
