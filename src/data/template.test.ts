import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { simpleTokenizer } from '../../test/behaviour/simple-tokenizer.ts'
import { UserError } from '../errors.ts'
import { labelTokens } from './label-words.ts'
import { parseTemplate, templated } from './template.ts'

/** One token a letter; a space belongs to the letter after it, as in byte-level vocabularies. 1 and 2 are special, 3 is the mask. */
const letters = simpleTokenizer({
  tokens: (text) =>
    (text.match(/ ?\S/g) ?? []).map((piece) => (piece.trim() === '_' ? 3 : piece.length * 1000 + piece.charCodeAt(piece.length - 1))),
  framed: (ids) => ({ ids: [1, ...ids, 2], types: [0, ...ids.map(() => 0), 0] }),
  special: { all: new Set([1, 2, 3]), mask: 3, unknown: 2063 },
  word: (id) => String.fromCharCode(id % 1000),
})
const spelled = (ids: readonly number[]): string =>
  ids
    .slice(1, -1)
    .map((id) => (id === 3 ? '<>' : `${id >= 2000 ? ' ' : ''}${letters.word(id)}`))
    .join('')

test('words keep the space before them, texts are set in without their own', () => {
  const cases: [string, string, string | null, string][] = [
    ['{text} It was {mask}.', ' abc ', null, 'abc It was<>.'],
    ['{text}? {mask}, {pair}', 'ab', 'cd', 'ab?<>, cd'],
    ['{mask}: {text}', 'ab', null, '<>: ab'],
    ['Is {text}{mask}', 'ab', null, 'Is ab<>'],
  ]
  for (const [template, text, pair, expected] of cases) {
    assert.equal(spelled(templated(letters, template).encode(text, pair, 99).ids), expected.replace(/ <>/g, '<>'), template)
  }
})

test('the template stays whole, and texts fill the room that it leaves', () => {
  const { encode } = templated(letters, '{text}? {mask}, {pair}.')
  const fixed = 2 + 4
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: fixed + 2, max: 50 }),
      (a, b, length) => {
        const { ids } = encode('a'.repeat(a), 'b'.repeat(b), length)
        assert.equal(ids.length, Math.min(length, fixed + a + b))
        assert.match(spelled(ids), /^a*\?<>, ?b*\.$/)
      },
    ),
  )
  assert.throws(() => encode('a', 'b', fixed + 1), /leaves no room for text beside 6 of the template/)
})

test('what a template lacks or has too much of is said', () => {
  const faults: [string, RegExp][] = [
    ['{text} It was.', /no \{mask\}/],
    ['{text} {mask} {mask}', /2 \{mask\}/],
    ['It was {mask}.', /no \{text\}/],
    ['{text} {mask} {pair} {pair}', /\{pair\} more than once/],
    ['{txt} {mask}', /has \{txt\}; known are \{text\}, \{pair\}, \{mask\}\. Did you mean "text"/],
  ]
  for (const [template, says] of faults) assert.throws(() => parseTemplate(template), says)
  const single = templated(letters, '{text} {mask}')
  assert.throws(() => single.encode('a', 'b', 9), /no \{pair\}, but rows have a second text/)
  assert.throws(() => single.encode('a _ b', null, 9), /"a _ b" holds the mask token itself/)
  assert.throws(() => templated(letters, '{text} {mask} {pair}').encode('a', null, 9), /no column holds a second text/)
  assert.throws(() => templated({ ...letters, special: { ...letters.special, mask: null } }, '{text} {mask}'), /no mask token/)
})

test('label words are single tokens after a space, one for each label', () => {
  assert.deepEqual(labelTokens(letters, { no: 'n', yes: 'y' }, ['yes', 'no']), [2121, 2110])
  const faults: [Record<string, string>, RegExp][] = [
    [{ yes: 'yes', no: 'n' }, /"yes", for "yes", is 3 tokens \("y", "e", "s"\); choose a word that is one token/],
    [{ yes: 'y' }, /no word for the label "no"/],
    [{ yes: 'y', no: 'n', nno: 'o' }, /a word for "nno", which is no label; the labels are yes, no\. Did you mean "no"/],
    [{ yes: 'y', no: 'y' }, /"yes" and "no" have the same word/],
    [{ yes: 'y', no: '?' }, /"\?", for "no", is not in the vocabulary/],
  ]
  for (const [words, says] of faults) {
    assert.throws(
      () => labelTokens(letters, words, ['yes', 'no']),
      (error: Error) => error instanceof UserError && says.test(error.message),
    )
  }
})
