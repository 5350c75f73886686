import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readingFields } from '../data/reading.ts'
import type { Row } from '../data/row.ts'
import { loadTokenizer } from '../data/tokenizer.ts'
import { tasks } from './index.ts'

type Scores = readonly (readonly [number, number])[]

/** Scores for windows, and what Hugging Face's post-processing for SQuAD makes of them; `test/golden/README.md` says how it was made. */
const golden: {
  readonly search: {
    readonly question: string
    readonly cases: readonly { readonly context: string; readonly scores: readonly Scores[] }[]
    readonly expected: readonly {
      readonly unanswerable: boolean
      readonly nBest: number
      readonly maxAnswerLength: number
      readonly nullThreshold: number
      readonly answers: readonly string[]
      readonly odds: readonly number[]
      readonly probability: readonly number[]
    }[]
  }
} = JSON.parse(readFileSync(join(import.meta.dirname, '../../test/golden/squad.json'), 'utf8'))
const tokenizers = JSON.parse(readFileSync(join(import.meta.dirname, '../../test/golden/token-offsets.json'), 'utf8')).tokenizers

const folder = mkdtempSync(join(tmpdir(), 'adatune-search-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizers['wordpiece-uncased'].tokenizer))
const tokenizer = loadTokenizer(folder)

const task = tasks['question-answering']
const { question, cases, expected } = golden.search
const rowOf = (values: Record<string, unknown>, line = 1): Row => ({ values: new Map(Object.entries(values)), file: 'a.jsonl', line })
const read = (rows: readonly Row[], spans: object, labelled = false) =>
  task.read(
    rows,
    {
      reading: {
        columns: null,
        maxLength: 70,
        spans: { ...readingFields.spans.parse(undefined), docStride: 20, ...spans },
        texts: readingFields.texts.parse(undefined),
      },
      tokenizer: () => tokenizer,
      labelled,
      vocabularySize: 1000,
      maxPositions: 512,
      end: null,
    },
    [],
  )

for (const { answers, odds, probability, ...spans } of expected) {
  test(`answers over several windows are Hugging Face's with ${JSON.stringify(spans)}`, () => {
    const items = read(
      cases.map(({ context }) => rowOf({ question, context })),
      spans,
    )
    items.forEach((item, i) => {
      const logits = cases[i]!.scores.map((window) => Float32Array.from(window.flat()))
      assert.deepEqual(
        item.examples.map(({ ids }) => ids.length * 2),
        logits.map(({ length }) => length),
      )
      const given = task.answer({ item, logits }, [])
      assert.equal(given.answer, answers[i])
      const { start, end } = given as { start: number | null; end: number | null }
      if (start !== null) assert.equal([...cases[i]!.context].slice(start, end!).join(''), given.answer)
      // Where no stretch is in the context at all, the script invents one.
      if (answers[i] === '' && !spans.unanswerable) return
      assert.ok(Math.abs((given.score as number) - probability[i]!) < 1e-5 || given.nullOdds === Infinity)
      if (spans.unanswerable && given.nullOdds !== Infinity) assert.ok(Math.abs((given.nullOdds as number) - odds[i]!) < 1e-4)
    })
  })
}

test('the label of a window is where the first answer lies in it, else its first token', () => {
  const context = `😀 ${cases[0]!.context} ${cases[2]!.context}`
  const text = 'eleven miles'
  const at = [...context.slice(0, context.lastIndexOf(text))].length
  const [item] = read([rowOf({ question, context, answers: { text: [text], answer_start: [at] } })], {}, true)
  assert.ok(item!.examples.length > 3)
  const right = tokenizer.locate(text).ids
  const found = item!.examples.map(({ ids, label }) => {
    const { start, end } = label as { start: number; end: number }
    return start === 0 && end === 0 ? null : [...ids.slice(start, end + 1)]
  })
  assert.ok(found.includes(null), 'some window lacks the answer')
  const inside = found.filter((ids) => ids !== null)
  assert.ok(inside.length > 0)
  for (const ids of inside) assert.deepEqual(ids, right)
})

test('a list of answers is read like columns of answers, and no answer is one', () => {
  const context = 'The lamp went out.'
  const answered = [{ text: ['lamp'], answer_start: [4] }, [{ text: 'lamp', answer_start: 4 }], { text: [], answer_start: [] }].map(
    (answers) => read([rowOf({ question, context, answers })], {}, true)[0]!.examples[0]!.label,
  )
  assert.deepEqual(answered[0], answered[1])
  assert.deepEqual(answered[2], { start: 0, end: 0 })
})

for (const [what, values, says, spans] of [
  [
    'an answer past the end',
    { answers: { text: ['oil'], answer_start: [17] } },
    /answer 1 of "answers", "oil", is at characters 17 to 20, but the context has 18/,
  ],
  ['an answer before the start', { answers: { text: ['oil'], answer_start: [-1] } }, /is at characters -1 to 2/],
  [
    'another text at the offset',
    { answers: { text: ['lamp', 'lamp'], answer_start: [4, 5] } },
    /answer 2 of "answers", "lamp", is not at character 5 of the context, where "amp " stands/,
  ],
  ['starts that are missing', { answers: { text: ['lamp'], answer_start: [] } }, /"answers" is .* expected \{"text"/],
  ['answers as text', { answers: 'lamp' }, /"answers" is "lamp"; expected/],
  ['no answers at all', {}, /"answers" is null; expected/],
  ['an empty question', { question: '', answers: { text: [], answer_start: [] } }, /column "question" is empty/],
  ['an empty context', { context: '', answers: { text: [], answer_start: [] } }, /column "context" is empty/],
  ['a context of spaces', { context: '  ', answers: { text: [], answer_start: [] } }, /the context has no tokens/],
  ['a question of spaces', { question: ' ', answers: { text: [], answer_start: [] } }, /the question has no tokens/],
  [
    'a stride that leaves no room',
    { context: 'lamp '.repeat(80), answers: { text: [], answer_start: [] } },
    /beside a question of \d+ tokens, 70 tokens leave 41 for the context, and docStride is 41/,
    { docStride: 41 },
  ],
] as const) {
  test(`refuses ${what}`, () => {
    const row = rowOf({ question, context: 'The lamp went out.', ...values }, 9)
    assert.throws(
      () => read([row], spans ?? {}, true),
      (error: Error) => error.name === 'UserError' && error.message.startsWith('a.jsonl:9: ') && says.test(error.message),
    )
  })
}
