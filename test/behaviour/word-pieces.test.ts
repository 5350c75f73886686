import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { tokenizerFile } from '../../pretrain/tokenizer-file.ts'
import { learnWordPieces } from '../../pretrain/word-pieces.ts'

/** The pair that occurs most often, counted anew for each piece. */
function byCounting(counts: ReadonlyMap<string, number>, pieces: number): string[] {
  const words = [...counts].map(([word, count]) => ({ parts: [...word].map((letter, i) => (i === 0 ? letter : `##${letter}`)), count }))
  const made: string[] = []
  while (made.length < pieces) {
    const pairs = new Map<string, number>()
    for (const { parts, count } of words)
      for (let i = 1; i < parts.length; i++)
        pairs.set(`${parts[i - 1]} ${parts[i]}`, (pairs.get(`${parts[i - 1]} ${parts[i]}`) ?? 0) + count)
    const spelling = (pair: string): string => pair.replace(' ##', '')
    const [best] = [...pairs].sort(([a, m], [b, n]) => n - m || (spelling(a) < spelling(b) ? -1 : 1))
    if (!best) break
    if (!made.includes(spelling(best[0]))) made.push(spelling(best[0]))
    const [left, right] = best[0].split(' ')
    for (const word of words) {
      const next: string[] = []
      for (const part of word.parts) {
        if (part === right && next.at(-1) === left) next[next.length - 1] = spelling(best[0])
        else next.push(part)
      }
      word.parts = next
    }
  }
  return made
}

test('pieces are those that counting all pairs anew would find', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 6 })
  const counts = fc.uniqueArray(fc.tuple(word, fc.integer({ min: 50, max: 60 })), {
    selector: ([text]) => text,
    minLength: 1,
    maxLength: 12,
  })
  fc.assert(
    fc.property(counts, (given) => {
      const learned = learnWordPieces(new Map(given), 30, [])
      const letters = learned.filter((piece) => piece.replace('##', '').length === 1).length
      assert.deepEqual(learned.slice(letters), byCounting(new Map(given), 30 - letters))
    }),
  )
})

test('rare letters have no piece, and special tokens come first', () => {
  const learned = learnWordPieces(
    new Map([
      ['ab', 70],
      ['zb', 3],
    ]),
    10,
    ['[PAD]', '[UNK]'],
  )
  assert.deepEqual(learned, ['[PAD]', '[UNK]', '##b', 'a', 'ab'])
})

test('the tokenizer file gives each piece its place', () => {
  const file = tokenizerFile(new Map([['ab', 70]]), 20) as { model: { vocab: Record<string, number> } }
  const { vocab } = file.model
  assert.deepEqual(
    Object.keys(vocab).sort((a, b) => vocab[a]! - vocab[b]!),
    ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '##b', 'a', 'ab'],
  )
})
