import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { UserError } from '../errors.ts'
import { normalizedAnswer } from './answer-match.ts'
import { squadV1, squadV2 } from './squad.ts'

interface Row {
  prediction: string
  answers: string[]
  noAnswer: number
}

// test/golden/metrics/make.py writes the expected numbers with the official scripts.
const read = (name: string) => JSON.parse(readFileSync(new URL(`../../test/golden/metrics/${name}.json`, import.meta.url), 'utf8')).squad
const inputs = read('inputs') as { v1: Row[]; v2: Row[] }
const expected = read('expected') as {
  v1: Record<string, number>
  normalized: string[]
  v2: Record<string, Record<string, number>>
  v2Answered: Record<string, number>
  v2Unanswerable: Record<string, number>
}

const near = (actual: number, wanted: number | undefined, what: string) =>
  assert.ok(wanted !== undefined && Math.abs(actual - wanted) < 1e-6, `${what}: ${actual}, expected ${wanted}`)

const second = (rows: readonly Row[], threshold: number) =>
  squadV2(
    rows.map(({ prediction }) => prediction),
    rows.map(({ answers }) => answers),
    rows.map(({ noAnswer }) => noAnswer),
    threshold,
  )

test('answers are normalised as by the official script', () => {
  assert.deepEqual(inputs.v1.flatMap(({ prediction, answers }) => [prediction, ...answers]).map(normalizedAnswer), expected.normalized)
})

test('SQuAD 1.1, as the official script', () => {
  const scores = squadV1(
    inputs.v1.map(({ prediction }) => prediction),
    inputs.v1.map(({ answers }) => answers),
  )
  near(scores.exactMatch, expected.v1.exact_match, 'exact match')
  near(scores.f1, expected.v1.f1, 'f1')
})

const compare = (rows: readonly Row[], threshold: number, wanted: Record<string, number>) => {
  const scores = second(rows, threshold)
  near(scores.exactMatch, wanted.exact, 'exact')
  near(scores.f1, wanted.f1, 'f1')
  for (const [part, prefix] of [
    ['answerable', 'HasAns'],
    ['unanswerable', 'NoAns'],
  ] as const) {
    assert.equal(scores[part] === undefined, wanted[`${prefix}_total`] === undefined)
    if (scores[part]) near(scores[part].exactMatch, wanted[`${prefix}_exact`], `${prefix} exact`)
    if (scores[part]) near(scores[part].f1, wanted[`${prefix}_f1`], `${prefix} f1`)
  }
  near(scores.bestExactMatch, wanted.best_exact, 'best exact')
  near(scores.bestExactMatchThreshold, wanted.best_exact_thresh, 'threshold of exact')
  near(scores.bestF1, wanted.best_f1, 'best f1')
  near(scores.bestF1Threshold, wanted.best_f1_thresh, 'threshold of f1')
}

for (const [threshold, wanted] of Object.entries(expected.v2)) {
  test(`SQuAD 2.0 at threshold ${threshold}, as the official script`, () => compare(inputs.v2, Number(threshold), wanted))
}

test('SQuAD 2.0 with answerable or unanswerable questions alone, as the official script', () => {
  compare(
    inputs.v2.filter(({ answers }) => answers.length > 0),
    0.6,
    expected.v2Answered,
  )
  compare(
    inputs.v2.filter(({ answers }) => answers.length === 0),
    0.6,
    expected.v2Unanswerable,
  )
})

test('answering by the best threshold gives the best scores', () => {
  const answer = fc.constantFrom('the cat', 'cat', 'a dog', 'x y')
  const row = fc.record({ prediction: answer, answers: fc.array(answer, { maxLength: 2 }) })
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 9 }), fc.nat(), (rows, seed) => {
      // Distinct: the official search takes no care of questions that are equally sure.
      const judged = rows.map((one, i) => ({ ...one, noAnswer: ((((i + 1) * 7919 + seed) % 997) + 1 + i / 100) / 1000 }))
      const best = second(judged, 1)
      for (const threshold of [best.bestF1Threshold, 0, 0.5, 1]) {
        const { f1 } = second(judged, threshold)
        if (threshold === best.bestF1Threshold) assert.ok(Math.abs(f1 - best.bestF1) < 1e-9)
        else assert.ok(f1 <= best.bestF1 + 1e-9)
      }
    }),
  )
})

test('questions without answers are SQuAD 2.0’s, and sizes are checked', () => {
  assert.throws(
    () => squadV1(['a', 'b'], [['a'], []]),
    (error) => error instanceof UserError && /question 2 has no answer/.test(error.message),
  )
  assert.throws(() => squadV1(['a'], []), RangeError)
  assert.throws(() => squadV2(['a'], [['a']], [], 0.5), RangeError)
})
