import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { UserError } from '../../errors.ts'
import { stream } from '../../random/draws.ts'
import { keyOf } from '../../random/key.ts'
import { textIntervals, textMetric, textMetrics, textScores } from './index.ts'

const word = fc.constantFrom('the', 'cat', 'cats', 'sat', 'sitting', 'on', 'a', 'mat', '7', '1,000', 'É', 'can’t', '.', 'U.S.')
const text = fc.array(word, { minLength: 1, maxLength: 9 }).map((words) => words.join(' '))
const example = fc.record({ hypothesis: text, references: fc.array(text, { minLength: 1, maxLength: 3 }) })
const corpus = fc.array(example, { minLength: 1, maxLength: 6 })

const scoresOf = (name: string, rows: readonly { hypothesis: string; references: string[] }[]) =>
  textScores(
    textMetric(name),
    rows.map(({ hypothesis }) => hypothesis),
    rows.map(({ references }) => references),
  )

const same = (a: Record<string, number>, b: Record<string, number>, tolerance = 1e-9) => {
  assert.deepEqual(Object.keys(a), Object.keys(b))
  for (const [name, value] of Object.entries(a)) assert.ok(Math.abs(value - b[name]!) <= tolerance, `${name}: ${value} and ${b[name]}`)
}

/** What identical texts score; NIST's depends on the corpus, METEOR's on the length, CIDEr's is 0 where every example has the word. */
const PERFECT: Readonly<Record<string, number>> = {
  rouge1: 1,
  rouge2: 1,
  rougeL: 1,
  rougeLsum: 1,
  captionRougeL: 1,
  chrf: 100,
  ter: 0,
  bleu: 100,
  bleuLowercase: 100,
}

/** METEOR comes near 1 for long texts, TER has no upper end. */
const MOST: Readonly<Record<string, number>> = { ...PERFECT, ter: Infinity, meteorExactStem: 1, cider: 10, nist: Infinity }

for (const name of Object.keys(textMetrics)) {
  test(`${name}: the order of examples and of references does not matter`, () => {
    fc.assert(
      fc.property(corpus, (rows) => {
        const turned = rows.map(({ hypothesis, references }) => ({ hypothesis, references: references.toReversed() })).reverse()
        // chrF adds the counts of the first of equally good references.
        same(scoresOf(name, rows), scoresOf(name, name === 'chrf' ? rows.toReversed() : turned))
      }),
    )
  })

  test(`${name}: the reference itself is the best answer`, () => {
    fc.assert(
      fc.property(corpus, (rows) => {
        // Four words that every metric knows.
        const long = rows.map(({ hypothesis, references }) => ({
          hypothesis,
          references: references.map((each) => `now we see all ${each}`),
        }))
        const right = scoresOf(
          name,
          long.map(({ references }) => ({ hypothesis: references.at(-1)!, references })),
        )
        for (const [key, value] of Object.entries(right))
          if (key in PERFECT) assert.ok(Math.abs(value - PERFECT[key]!) < 1e-9, `${key} ${value}`)
        for (const [key, value] of Object.entries(scoresOf(name, long)))
          assert.ok(value >= 0 && value <= MOST[key]! + 1e-9, `${key} ${value}`)
      }),
    )
  })

  test(`${name}: sizes and empty lists of references are checked`, () => {
    assert.throws(() => textScores(textMetrics[name]!, ['a'], [['a'], ['b']]), RangeError)
    assert.throws(() => textScores(textMetrics[name]!, [], []), RangeError)
    assert.throws(
      () => textScores(textMetrics[name]!, ['a', 'b'], [['a'], []]),
      (error) => {
        return error instanceof UserError && /example 2 of 2 has no reference text/.test(error.message)
      },
    )
  })

  test(`${name}: the interval holds the score, and shrinks to it where all examples are alike`, () => {
    const rows = ['the cat sat on the mat', 'a dog ran in the park', 'we met on a bus', 'they ate the cake at noon'].map(
      (reference, i) => ({
        hypothesis: i % 2 ? reference : `${reference.slice(4)} today`,
        references: [reference],
      }),
    )
    const interval = (list: typeof rows) =>
      textIntervals(
        textMetric(name),
        list.map(({ hypothesis }) => hypothesis),
        list.map(({ references }) => references),
        { below: stream(keyOf('intervals', 1)).below, resamples: 200 },
      )
    const [scores, ends] = [scoresOf(name, rows), interval(rows)]
    assert.deepEqual(Object.keys(ends), Object.keys(scores))
    for (const [key, value] of Object.entries(scores)) assert.ok(ends[key]!.low < value && value < ends[key]!.high, `${key} ${value}`)
    const alike = Array(4).fill(rows[0]!)
    for (const [key, value] of Object.entries(scoresOf(name, alike))) {
      assert.ok(Math.abs(interval(alike)[key]!.low - value) < 1e-9 && Math.abs(interval(alike)[key]!.high - value) < 1e-9)
    }
  })
}

// BLEU's smoothing and CIDEr's frequencies depend on the size of the corpus.
for (const name of ['rouge', 'nist', 'meteorExactStem', 'ter', 'captionRougeL', 'chrf']) {
  test(`${name}: a corpus said twice scores the same`, () => {
    fc.assert(fc.property(corpus, (rows) => same(scoresOf(name, rows), scoresOf(name, [...rows, ...rows]))))
  })
}

test('an unknown metric is refused with the known ones', () => {
  assert.throws(
    () => textMetric('rogue'),
    (error) => error instanceof UserError && /rouge.*cider.*Did you mean "rouge"/.test(error.message),
  )
  assert.throws(() => textMetric('constructor'), UserError)
})

test('words of object properties are words', () => {
  for (const name of Object.keys(textMetrics)) {
    for (const value of Object.values(scoresOf(name, [{ hypothesis: 'constructor toString', references: ['constructor __proto__'] }]))) {
      assert.ok(Number.isFinite(value))
    }
  }
})
