import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { Row } from '../data/read-rows.ts'
import { openTokenStore } from './token-store.ts'

const rowsOf = (texts: readonly string[]): Row[] =>
  Array.from({ length: 500 }, (_, i) => ({ file: 'rows.jsonl', line: i + 1, values: new Map([['text', texts[i % texts.length]!]]) }))

function cache(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokens-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

const tokensOf = (text: string): number[] => Array.from(text, (letter) => letter.codePointAt(0)!)
const never = (): number[] => assert.fail('the text was kept')

test('tokens of any texts are those that were made, the second time without making them', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 20 }), (texts) => {
      const folder = cache(t)
      const first = openTokenStore({ a: 1 }, rowsOf(texts), folder)!
      for (const text of texts)
        assert.deepEqual(
          first.tokensOf(text, () => tokensOf(text)),
          tokensOf(text),
        )
      first.keep()
      const second = openTokenStore({ a: 1 }, rowsOf(texts), folder)!
      for (const text of texts.toReversed()) assert.deepEqual(second.tokensOf(text, never), tokensOf(text))
    }),
    { numRuns: 30 },
  )
})

test('other rows, other settings of the tokenizer and few rows have nothing kept', (t) => {
  const folder = cache(t)
  const rows = rowsOf(['one', 'two'])
  const first = openTokenStore({ a: 1 }, rows, folder)!
  first.tokensOf('one', () => [1])
  first.keep()
  const asked = (settings: object, some: Row[]): number[] => openTokenStore(settings, some, folder)!.tokensOf('one', () => [2])
  assert.deepEqual(asked({ a: 1 }, rows), [1])
  assert.deepEqual(asked({ a: 2 }, rows), [2])
  assert.deepEqual(asked({ a: 1 }, rowsOf(['one', 'three'])), [2])
  assert.equal(openTokenStore({ a: 1 }, rows.slice(0, 100), folder), null)
})

test('texts that come later are added', (t) => {
  const folder = cache(t)
  const rows = rowsOf(['one', 'two'])
  for (const [text, id] of [
    ['one', 1],
    ['two', 2],
  ] as const) {
    const store = openTokenStore({}, rows, folder)!
    store.tokensOf(text, () => [id])
    store.keep()
  }
  const store = openTokenStore({}, rows, folder)!
  assert.deepEqual([store.tokensOf('one', never), store.tokensOf('two', never)], [[1], [2]])
})

test('a file that was changed, cut off or is of another kind is made anew', (t) => {
  const folder = cache(t)
  const rows = rowsOf(['one'])
  const keep = (): void => {
    const store = openTokenStore({}, rows, folder)!
    store.tokensOf('one', () => [7, 8, 9])
    store.keep()
  }
  keep()
  const file = join(folder, 'tokens', readdirSync(join(folder, 'tokens'))[0]!)
  const whole = readFileSync(file)
  const changed = [...whole.keys()].map((i) => whole.map((byte, k) => (k === i ? byte ^ 1 : byte)))
  for (const bytes of [...changed, whole.subarray(0, whole.length - 1), whole.subarray(0, 10), Buffer.from(''), Buffer.from('{}')]) {
    writeFileSync(file, bytes)
    assert.deepEqual(
      openTokenStore({}, rows, folder)!.tokensOf('one', () => [1]),
      [1],
    )
    keep()
    assert.deepEqual(readFileSync(file), whole)
  }
})
