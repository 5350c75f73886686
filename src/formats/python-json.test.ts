import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pythonJson } from './python-json.ts'

const floats = (key: string): boolean => key === 'f'

test('floats are written as Python writes them', () => {
  const cases: [number, string][] = [
    [0, '0.0'],
    [1, '1.0'],
    [1e-5, '1e-05'],
    [1.5e-7, '1.5e-07'],
    [0.0001, '0.0001'],
    [0.85, '0.85'],
    [1e16, '1e+16'],
    [-2, '-2.0'],
    [123456789, '123456789.0'],
    [1e-12, '1e-12'],
  ]
  for (const [value, text] of cases) assert.equal(pythonJson({ f: value }, floats), `{\n  "f": ${text}\n}`)
})

test('integers stay integers, except under the keys of floats', () => {
  assert.equal(pythonJson({ n: 4, m: 0.5 }, floats), '{\n  "m": 0.5,\n  "n": 4\n}')
})

test('keys are sorted at every depth, empty containers take one line, text is ASCII', () => {
  const value = { b: [], a: { d: {}, c: ['x', null, true] }, t: 'ü "\\\n\u007f😀' }
  const expected = `{
  "a": {
    "c": [
      "x",
      null,
      true
    ],
    "d": {}
  },
  "b": [],
  "t": "\\u00fc \\"\\\\\\n\\u007f\\ud83d\\ude00"
}`
  assert.equal(pythonJson(value, floats), expected)
})
