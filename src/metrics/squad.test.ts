import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { answerF1, exactMatch, normalizedAnswer, type SquadRow, squadMetrics } from './squad.ts'

/** What SQuAD's scripts give, as transformers 4.57.6 has them; `test/golden/README.md` says how it was made. */
const golden: {
  readonly normalized: readonly (readonly [string, string])[]
  readonly pairs: readonly { readonly prediction: string; readonly answer: string; readonly exact: number; readonly f1: number }[]
  readonly rows: readonly SquadRow[]
  readonly metrics: readonly { readonly threshold: number; readonly metrics: Readonly<Record<string, number>> }[]
  readonly answerable: Readonly<Record<string, number>>
} = JSON.parse(readFileSync(join(import.meta.dirname, '../../test/golden/squad.json'), 'utf8'))

function assertNear(given: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>): void {
  assert.deepEqual(Object.keys(given).sort(), Object.keys(expected).sort())
  for (const [name, value] of Object.entries(expected))
    assert.ok(Math.abs(given[name]! - value) < 1e-9, `${name}: ${given[name]}, not ${value}`)
}

test('answers are normalized as the official scripts do', () => {
  for (const [text, expected] of golden.normalized) assert.equal(normalizedAnswer(text), expected, JSON.stringify(text))
})

test('exact match and F1 of a pair are those of the official scripts', () => {
  for (const { prediction, answer, exact, f1 } of golden.pairs) {
    const [given, right] = [normalizedAnswer(prediction), normalizedAnswer(answer)]
    // Right answers without words count as none, which comparing the pair alone does not see.
    if (right === '' && given !== '') continue
    assert.equal(exactMatch(prediction, [answer]), exact, `${prediction} | ${answer}`)
    assert.ok(Math.abs(answerF1(prediction, [answer]) - f1) < 1e-12, `${prediction} | ${answer}`)
  }
})

test('all figures are those of the official script, at any threshold', () => {
  for (const { threshold, metrics } of golden.metrics) assertNear(squadMetrics(golden.rows, threshold), metrics)
  const answerable = golden.rows.filter(({ answers }) => answers.length > 0)
  assertNear(squadMetrics(answerable, Infinity), golden.answerable)
})

test('the best threshold gives the best figure, and no other threshold a better one', () => {
  const text = fc.constantFrom('red lamp', 'lamp', 'oil', 'red oil')
  const row = fc.record({ answers: fc.array(text, { maxLength: 2 }), prediction: text, nullOdds: fc.integer({ min: -20, max: 20 }) })
  const unanswered: SquadRow = { answers: [], prediction: 'oil', nullOdds: 3 }
  fc.assert(
    fc.property(
      fc.uniqueArray(row, { minLength: 1, maxLength: 8, selector: ({ nullOdds }) => nullOdds }),
      fc.integer({ min: -21, max: 21 }),
      (some, other) => {
        const rows = [...some.filter(({ nullOdds }) => nullOdds !== 3), unanswered]
        const { best_f1, best_f1_thresh, best_exact } = squadMetrics(rows, 0)
        const at = squadMetrics(rows, other)
        assert.ok(at.f1! <= best_f1! + 1e-9 && at.exact! <= best_exact! + 1e-9)
        const found = squadMetrics(rows, best_f1_thresh!).f1!
        // Where nothing beats no answer at all, the threshold stays at 0, as in the official script.
        if (best_f1_thresh !== 0) assert.ok(Math.abs(found - best_f1!) < 1e-9)
      },
    ),
  )
})

interface Judged {
  readonly prediction: string
  readonly answers: readonly string[]
  readonly noAnswer: number
}

// test/golden/metrics/make.py writes the expected numbers with the official scripts.
const official = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, `../../test/golden/metrics/${name}.json`), 'utf8')).squad
const inputs = official('inputs') as { v1: Judged[]; v2: Judged[] }
const expected = official('expected') as {
  v1: Record<string, number>
  normalized: string[]
  v2: Record<string, Record<string, number>>
  v2Answered: Record<string, number>
  v2Unanswerable: Record<string, number>
}

test('answers are normalised as by the script of SQuAD 1.1', () => {
  assert.deepEqual(inputs.v1.flatMap(({ prediction, answers }) => [prediction, ...answers]).map(normalizedAnswer), expected.normalized)
})

test('SQuAD 1.1, as the official script', () => {
  // To two answers without words it gives an exact match and no F1, the script of SQuAD 2.0 both: these rows are left out.
  const worded = inputs.v1.filter(({ answers }) => answers.every((answer) => normalizedAnswer(answer) !== ''))
  const wordless = inputs.v1.length - worded.length
  const sum = (percent: number | undefined): number => (percent! * inputs.v1.length) / 100
  const rows = worded.map((row) => ({ ...row, nullOdds: 0 }))
  const given = squadMetrics(rows, Infinity)
  const wanted = { exact: (100 * (sum(expected.v1.exact_match) - wordless)) / rows.length, f1: (100 * sum(expected.v1.f1)) / rows.length }
  for (const [name, value] of Object.entries(wanted))
    assert.ok(Math.abs(given[name]! - value) < 1e-6, `${name}: ${given[name]}, not ${value}`)
})

for (const [what, wanted, threshold, counts] of [
  ...Object.entries(expected.v2).map(([at, figures]) => [`at threshold ${at}`, figures, Number(at), () => true] as const),
  ['with answerable questions alone', expected.v2Answered, 0.6, (row: Judged) => row.answers.length > 0] as const,
  ['with unanswerable questions alone', expected.v2Unanswerable, 0.6, (row: Judged) => row.answers.length === 0] as const,
]) {
  test(`SQuAD 2.0 ${what}, as the official script`, () => {
    const rows = inputs.v2.filter(counts).map((row) => ({ ...row, nullOdds: row.noAnswer }))
    const given = squadMetrics(rows, threshold)
    assert.ok('exact' in given && 'f1' in given)
    for (const [name, value] of Object.entries(given))
      assert.ok(Math.abs(value - wanted[name]!) < 1e-6, `${name}: ${value}, not ${wanted[name]}`)
  })
}
