import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../errors.ts'
import { texts } from './reading.ts'
import type { Row } from './row.ts'
import { sourceOf, textColumns } from './written-texts.ts'

const row = (triples: unknown): Row => ({ values: new Map([['triples', triples]]), file: 'rows.jsonl', line: 3 })
const read = (triples: unknown, settings: Record<string, string> = {}): string =>
  sourceOf(row(triples), textColumns([row(triples)], null), texts.parse(settings))

const asTexts = ['Aarhus | leader | Jacob Bundsgaard', 'Aarhus | country |  | Denmark']
const asLists = [['Aarhus', 'leader', 'Jacob Bundsgaard'], ['Aarhus', 'country', '', 'Denmark'].filter(Boolean)]
// As the conversion scripts of microsoft/LoRA's examples put triples, which AdaMix takes over.
const authors = { entries: ' | ', fields: ' : ' }

test('triples are joined as a run says, be they texts or lists', () => {
  assert.equal(read(asTexts), asTexts.join(' && '))
  assert.equal(read(asLists), 'Aarhus | leader | Jacob Bundsgaard && Aarhus | country | Denmark')
  assert.equal(read(asLists, authors), 'Aarhus : leader : Jacob Bundsgaard | Aarhus : country : Denmark')
  assert.equal(read(asTexts, authors), 'Aarhus : leader : Jacob Bundsgaard | Aarhus : country :  : Denmark')
  assert.equal(read([asTexts[0], asLists[1]], authors), read(asLists, authors))
})

test('a text that is no list stays as it is', () => {
  assert.equal(read('name : Aromi | food : English', authors), 'name : Aromi | food : English')
})

test('what is no text is refused with its place', () => {
  for (const odd of [[], [[]], [3], [['a', null]], [' '], [['a', ['b']]], 4])
    assert.throws(
      () => read(odd),
      (error) => error instanceof UserError && /^rows\.jsonl:3: "triples" is .*; expected a text, or a list/.test(error.message),
      JSON.stringify(odd),
    )
})
