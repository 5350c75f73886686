import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { z } from 'zod'
import { readSettings } from './document.ts'

const folder = mkdtempSync(join(tmpdir(), 'adatune-settings-'))
after(() => rmSync(folder, { recursive: true }))

const file = join(folder, 'settings.json')
const anything = z.record(z.string(), z.unknown())

function read(text: string, schema: z.ZodType = anything, settings: readonly string[] = []): unknown {
  writeFileSync(file, text)
  return readSettings(schema, file, 'file', settings)
}

test('a file of JSON is read as YAML would read it', () => {
  const forbidden = ['__proto__', 'constructor', 'prototype']
  const settings = fc.dictionary(fc.string(), fc.jsonValue({ stringUnit: 'grapheme' }), { noNullPrototype: true })
  fc.assert(
    fc.property(settings, fc.constantFrom(0, 2), (data, indent) => {
      const text = JSON.stringify(data, null, indent)
      fc.pre(!forbidden.some((key) => text.includes(key)))
      assert.deepEqual(read(text), parse(text))
    }),
    { numRuns: 300 },
  )
})

const faults: [string, string, RegExp][] = [
  ['a key twice', '{ "a": { "b": 1,\n  "b": 2 } }', /settings\.json:2: Map keys must be unique\.$/],
  ['a key twice, once with an escape', '{ "b": 1,\n  "\\u0062": 2 }', /settings\.json:2: Map keys must be unique\.$/],
  ['a key that is not known', '{\n  "r": 1,\n  "s": 2\n}', /settings\.json:3: the key "s" is not known/],
  ['a wrong value', '{ "r":\n  "x" }', /settings\.json:2: "r" is "x": expected number/],
  ['a key of prototypes', '{ "__proto__": { "r": 1 } }', /the key "__proto__" is not allowed/],
  ['a list', '[1]', /does not hold settings/],
  ['a number', '1', /does not hold settings/],
  ['neither JSON nor YAML', '{ "r": 1', /settings\.json:1: /],
]
for (const [what, text, says] of faults)
  test(`${what} is refused with its line`, () => {
    assert.throws(() => read(text, z.strictObject({ r: z.number() })), says)
  })

test('JSON with comments or a comma at its end is YAML, and nothing is no settings', () => {
  assert.deepEqual(read('{ "a": 1, # one\n  "b": [2,], }'), { a: 1, b: [2] })
  assert.deepEqual(read(''), {})
  assert.deepEqual(read('null'), {})
})

test('changes are made to a file of JSON, and a fault of one is told with it', () => {
  const schema = z.strictObject({ r: z.number() })
  assert.deepEqual(read('{ "r": 1 }', schema, ['r=2']), { r: 2 })
  assert.throws(() => read('{ "r": 1 }', schema, ['r=x']), /^UserError: --set r=x: "r" is "x"/)
})
