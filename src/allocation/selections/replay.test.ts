import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../test/behaviour/tiny-model.ts'
import { UserError } from '../../errors.ts'
import { replay } from './replay.ts'

function file(name: string, text: string): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, text)
  return path
}
function adapter(pattern: unknown): string {
  const folder = join(temporaryFolder(), 'adapter')
  mkdirSync(folder)
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify({ peft_type: 'ADALORA', rank_pattern: pattern }))
  return folder
}
const lines = (...events: unknown[]): string => events.map((event) => `${JSON.stringify(event)}\n`).join('')
const expected = new Map([
  ['a.query', 2],
  ['a.value', 0],
])
const ranks = Object.fromEntries(expected)

test('the ranks of an adapter are what it kept, or what it says', () => {
  assert.deepEqual(replay(adapter({ 'a.query.lora_E': [true, false, true], 'a.value.lora_E.default': [false, false, false] })), expected)
  assert.deepEqual(replay(adapter(ranks)), expected)
})

test('the ranks of a record are its last final ones, though its last line is cut off', () => {
  const other = { 'a.query': 1, 'a.value': 1 }
  const record = lines(
    { event: 'ranks', final: false, ranks: other, step: 1 },
    { event: 'ranks', final: true, ranks: other, step: 2 },
    { event: 'ranks', final: true, ranks, step: 3 },
    { event: 'step', step: 4 },
  )
  assert.deepEqual(replay(file('run.jsonl', `${record}{"event":"ranks","fin`)), expected)
})

test('ranks may be written by hand', () => {
  assert.deepEqual(replay(file('ranks.json', JSON.stringify(ranks))), expected)
})

test('a file without final ranks is refused by name', () => {
  const refused = (path: string, message: RegExp): void =>
    assert.throws(
      () => replay(path),
      (error) => error instanceof UserError && message.test(error.message) && error.message.includes(path),
    )
  refused(adapter(null), /holds no final ranks; give/)
  refused(adapter({}), /holds no final ranks/)
  refused(adapter({ 'a.query': -1 }), /holds no final ranks/)
  refused(file('run.jsonl', lines({ event: 'ranks', final: false, ranks, step: 1 })), /holds no final ranks/)
  refused(file('ranks.json', '{"a": 1.5}'), /holds no final ranks/)
  refused(join(temporaryFolder(), 'nowhere'), /cannot be read: ENOENT/)
})
