import assert from 'node:assert/strict'
import { test } from 'node:test'
import { opinionOf } from '../../pretrain/lexicon.ts'

const lexicon = new Map([
  ['dull', -0.5],
  ['fine', 0.4],
  ['moving', 0.6],
])
const opinion = (text: string): number => opinionOf(text.split(' '), lexicon)

test('a text has the opinion of its words', () => {
  assert.equal(opinion('a moving , fine film'), 1)
  assert.equal(opinion('the fine plot is dull'), 0.4 - 0.5)
  assert.equal(opinion('a film about trains'), 0)
})

test('a negation turns the next three words, and those alone', () => {
  assert.equal(opinion('it is not a very dull play'), 0.375)
  assert.equal(opinion("it does n't feel dull"), 0.375)
  assert.equal(opinion("it isn't dull"), 0.375)
  assert.equal(opinion('not that it would be dull'), -0.5)
  assert.equal(opinion('dull , but not long'), -0.25)
})

test('what stands behind a "but" counts twice what stands before it', () => {
  assert.equal(opinion('moving , but dull'), 0.3 - 0.5)
  assert.equal(opinion('but dull'), -0.5)
})
