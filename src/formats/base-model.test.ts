import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bareSubject, bertSizes } from '../../test/behaviour/tiny-model.ts'
import { otherModel } from './base-model.ts'

const { model } = bareSubject(bertSizes)

test('a base model of another name is told, wherever the name of this one comes from', () => {
  const cached = { ...model, folder: '/cache/hub/models--google-bert--bert-base-uncased/snapshots/0123' }
  assert.equal(otherModel('a', 'google-bert/bert-base-uncased', cached), null)
  assert.equal(otherModel('a', 'bert-base-uncased', cached), null)
  assert.match(otherModel('a', 'bert-base-cased', cached)!, /^a was made .*"bert-base-cased".*"google-bert\/bert-base-uncased"/)
  const noted = { ...model, folder: 'copies/mine', config: { ...model.config, _name_or_path: 'roberta-base' } }
  for (const name of ['roberta-base', 'FacebookAI/roberta-base', 'some/Mine']) assert.equal(otherModel('a', name, noted), null)
  assert.match(otherModel('a', 'roberta-large', noted)!, /goes by "roberta-base"/)
  assert.match(otherModel('a', 'x', { ...model, folder: 'models/y/' })!, /"x".*goes by "y"/)
  assert.equal(otherModel('a', null, model), null)
})
