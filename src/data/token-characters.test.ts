import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { Located } from './token-characters.ts'
import { loadTokenizer, type Tokenizer } from './tokenizer.ts'
import { windowsOf } from './windows.ts'

/** What Hugging Face's tokenizers make of the same files and texts; `test/golden/README.md` says how it was made. */
interface Golden {
  readonly texts: readonly string[]
  readonly tokenizers: Readonly<Record<string, { readonly tokenizer: object; readonly expected: readonly Expected[] }>>
  readonly windows: {
    readonly question: string
    readonly context: string
    readonly cases: readonly {
      readonly tokenizer: string
      readonly maxLength: number
      readonly docStride: number
      readonly windows: readonly { readonly ids: number[]; readonly types: number[]; readonly context: number[] }[]
    }[]
  }
}
interface Expected {
  readonly ids: number[]
  readonly offsets: readonly (readonly [number, number])[]
}
const golden: Golden = JSON.parse(readFileSync(join(import.meta.dirname, '../../test/golden/token-offsets.json'), 'utf8'))

const folder = mkdtempSync(join(tmpdir(), 'adatune-offsets-'))
after(() => rmSync(folder, { recursive: true }))
function opened(tokenizer: object): Tokenizer {
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer))
  return loadTokenizer(folder)
}
const tokenizers = new Map(Object.entries(golden.tokenizers).map(([name, { tokenizer }]) => [name, opened(tokenizer)]))

/** A stretch as the text between its spaces, with the marks that follow it; nothing where it is space alone. */
function visible(text: string, start: number, end: number): string {
  const marks = /^\p{M}*/u.exec(text.slice(end))![0].length
  const stretch = text.slice(start, end + marks)
  const from = start + stretch.length - stretch.trimStart().length
  return stretch.trim() === '' ? '' : `${from}:${stretch.trim()}`
}
const visibles = (text: string, { starts, ends }: Pick<Located, 'starts' | 'ends'>): string[] =>
  starts.map((start, i) => visible(text, start, ends[i]!))

for (const [name, { expected }] of Object.entries(golden.tokenizers)) {
  test(`${name}: tokens stand for the characters that Hugging Face's tokenizers tell`, () => {
    for (const [i, text] of golden.texts.entries()) {
      const units = [0]
      for (const character of text) units.push(units.at(-1)! + character.length)
      const { ids, offsets } = expected[i]!
      const located = tokenizers.get(name)!.locate(text)
      assert.deepEqual(located.ids, ids, JSON.stringify(text))
      const right = { starts: offsets.map(([start]) => units[start]!), ends: offsets.map(([, end]) => units[end]!) }
      assert.deepEqual(visibles(text, located), visibles(text, right), JSON.stringify(text))
    }
  })

  test(`${name}: any text's tokens are those of encoding, in order, and leave no letter out`, () => {
    const tokenizer = tokenizers.get(name)!
    const alphabet = [...golden.texts.join('')].filter((letter) => letter !== '\u0000')
    const words = fc.array(fc.oneof(fc.constantFrom(...alphabet), fc.constantFrom('lamp', ' ', 'the', 'e\u0301')), { maxLength: 40 })
    fc.assert(
      fc.property(words, (letters) => {
        const text = letters.join('')
        const { ids, starts, ends } = tokenizer.locate(text)
        const special = tokenizer.joined([], []).ids.length
        assert.deepEqual(tokenizer.joined(ids, []).ids, tokenizer.encode(text, '', ids.length + special + 1).ids)
        const seen = new Uint8Array(text.length)
        starts.forEach((start, i) => {
          assert.ok(start <= ends[i]! && ends[i]! <= text.length)
          assert.ok(i === 0 || start >= starts[i - 1]!)
          seen.fill(1, start, ends[i]!)
        })
        const missed = [...text].filter((letter, i) => /[a-z0-9]/.test(letter) && text.length === [...text].length && seen[i] === 0)
        assert.deepEqual(missed, [])
      }),
      { numRuns: 60 },
    )
  })
}

test('windows are those of truncation="only_second" with a stride', () => {
  const { question, context, cases } = golden.windows
  for (const { tokenizer: name, maxLength, docStride, windows } of cases) {
    const tokenizer = tokenizers.get(name)!
    const options = { maxLength, docStride, maxQuestionLength: 64 }
    const place = { file: 'a.jsonl', line: 3 }
    const made = windowsOf(tokenizer.locate(question), tokenizer.locate(context), tokenizer, options, place)
    const shown = made.map(({ ids, types, first, starts }) => ({ ids, types, context: starts.map((_, i) => first + i) }))
    assert.deepEqual(shown, windows, `${name}, ${maxLength} tokens, stride ${docStride}`)
  }
})

test('what is composed stands for all of its characters, and a dropped mark stays with its letter', () => {
  const slices = (name: string, text: string): string[] => {
    const { starts, ends } = tokenizers.get(name)!.locate(text)
    return starts.map((start, i) => text.slice(start, ends[i]!))
  }
  const stretches = (name: string, text: string): string => slices(name, text).join('')
  assert.equal(stretches('wordpiece-uncased', 'cafe\u0301 lamp'), 'cafe\u0301lamp')
  assert.equal(stretches('unigram-nfkc', 'cafe\u0301 lamp'), 'cafe\u0301lamp')
  const hangul = '\u1112\u1161\u11ab'
  assert.ok(slices('unigram-nfkc', `${hangul} lamp`).includes(hangul))
})
