import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadTokenizer } from './tokenizer.ts'

const golden = join(import.meta.dirname, '../../test/golden/decoder-tokenizers')
const expected: Readonly<Record<string, readonly { text: string; ids: number[]; decoded: string }[]>> = JSON.parse(
  readFileSync(join(golden, 'expected.json'), 'utf8'),
)

for (const [name, cases] of Object.entries(expected)) {
  test(`a tokenizer of ${name}'s form gives the tokens, and the texts of tokens, of Hugging Face's tokenizers`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'adatune-tokenizer-'))
    copyFileSync(join(golden, `${name}.json`), join(folder, 'tokenizer.json'))
    const { tokens, decode, locate } = loadTokenizer(folder)
    for (const { text, ids, decoded } of cases) {
      assert.deepEqual(tokens(text), ids, JSON.stringify(text))
      assert.equal(decode(ids), decoded.trim(), JSON.stringify(text))
      assert.deepEqual(locate(text).ids, ids, JSON.stringify(text))
    }
    assert.equal(decode([]), '')
    rmSync(folder, { recursive: true })
  })
}
