import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Amount, drawn, exactly, outcomeOf, ranging, together } from './amount.ts'
import { findingOf, verdictOf } from './verdict.ts'

/** Draws spread evenly about a middle. */
const around = (middle: number, width: number): Amount =>
  drawn(
    middle,
    Array.from({ length: 1001 }, (_, i) => middle + width * (i / 500 - 1)),
  )

test('a bound is kept by a whole interval on its side, broken by one on the other, and else it cannot be told', () => {
  assert.equal(outcomeOf(around(2, 1), { atLeast: 0 }, 0.95, 1), 'holds')
  assert.equal(outcomeOf(around(-2, 1), { atLeast: 0 }, 0.95, 1), 'does not hold')
  assert.equal(outcomeOf(around(0.2, 1), { atLeast: 0 }, 0.95, 1), 'cannot be told')
  assert.equal(outcomeOf(around(2, 1), { atMost: 0 }, 0.95, 1), 'does not hold')
  assert.equal(outcomeOf(around(-2, 1), { atMost: 0 }, 0.95, 1), 'holds')
  assert.equal(outcomeOf(drawn(2, null), { atLeast: 0 }, 0.95, 1), 'cannot be told')
  assert.equal(outcomeOf(exactly(1), { atMost: 1 }, 0.95, 1), 'holds')
  assert.equal(outcomeOf(exactly(1.01), { atMost: 1 }, 0.95, 1), 'does not hold')
})

test('among many bounds it takes more to break one, not to keep it', () => {
  const [near, far] = [around(-0.96, 1), around(-1.1, 1)]
  assert.equal(outcomeOf(near, { atLeast: 0 }, 0.95, 1), 'does not hold')
  assert.equal(outcomeOf(near, { atLeast: 0 }, 0.95, 20), 'cannot be told')
  assert.equal(outcomeOf(far, { atLeast: 0 }, 0.95, 20), 'does not hold')
  assert.equal(outcomeOf(around(0.96, 1), { atLeast: 0 }, 0.95, 20), 'holds')
})

test('a number turned over keeps the opposite bound', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -30, max: 30 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 9 }),
      (middle, width, among) => {
        const [up, down] = [around(middle / 10, width / 10), around(-middle / 10, width / 10)]
        assert.equal(outcomeOf(up, { atLeast: 0.05 }, 0.95, among), outcomeOf(down, { atMost: -0.05 }, 0.95, among))
      },
    ),
  )
})

test('numbers by seed lie between the smallest and the largest, one that has none among them', () => {
  const never = ranging([1.5, Number.POSITIVE_INFINITY, 1.2])
  assert.equal(never.value, 1.5)
  assert.equal(outcomeOf(never, { atMost: 2 }, 0.95, 1), 'cannot be told')
  assert.equal(outcomeOf(ranging([1.5, 2, 1.2]), { atMost: 2 }, 0.95, 1), 'holds')
  assert.equal(outcomeOf(ranging([2.5, Number.POSITIVE_INFINITY]), { atMost: 2 }, 0.95, 1), 'does not hold')
})

test('of what must all be true one that is not decides, and one that cannot be told leaves it open', () => {
  assert.equal(together(['holds', 'holds']), 'holds')
  assert.equal(together(['holds', 'cannot be told']), 'cannot be told')
  assert.equal(together(['holds', 'does not hold', 'cannot be told']), 'does not hold')
})

test('the sentence tells the number that decides: of broken bounds the one that is broken most', () => {
  const told = (amounts: readonly (readonly [string, Amount])[], says = 'better'): ReturnType<typeof findingOf> =>
    findingOf(
      { says, atLeast: 0 },
      amounts.map(([name, amount]) => ({ name, amount })),
      (value) => value.toFixed(1),
      0.95,
    )
  const broken = told([
    ['a', around(3, 1)],
    ['b', around(-2, 1)],
    ['c', around(-4, 2)],
  ])
  const { outcome, sentence } = verdictOf('claim', [told([['d', around(5, 1)]], 'kept'), broken], '3 seeds')
  assert.equal(outcome, 'does not hold')
  assert.equal(sentence, 'claim does not hold: better; c: -4.0 (-5.9 to -2.1), for at least 0.0; 3 seeds.')
  assert.match(
    verdictOf(
      'claim',
      [
        told([
          ['a', around(3, 1)],
          ['b', around(2, 1)],
        ]),
      ],
      'x',
    ).sentence,
    /^claim holds: better; b: 2\.0/,
  )
})
