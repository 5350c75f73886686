import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { UserError } from '../errors.ts'
import { loadTokenizer } from './tokenizer.ts'
import { longestFirst } from './truncation.ts'

const folder = mkdtempSync(join(tmpdir(), 'adatune-tokenizer-'))
after(() => rmSync(folder, { recursive: true }))

const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', 'b', 'c', 'd', 'e', 'f', '##b', '##c', 'good', 'film', '!']
const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
const base = {
  version: '1.0',
  truncation: { direction: 'Right', max_length: 4, strategy: 'LongestFirst', stride: 0 },
  padding: { strategy: { Fixed: 6 }, direction: 'Right', pad_to_multiple_of: null, pad_id: 0, pad_type_id: 0, pad_token: '[PAD]' },
  added_tokens: words.slice(0, 4).map((content, id) => ({ id, content, ...flags })),
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  decoder: null,
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(words.map((word, id) => [word, id])),
  },
}
const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } })
const text = (id: string, type_id: number) => ({ Sequence: { id, type_id } })
const template = {
  type: 'TemplateProcessing',
  single: [special('[CLS]', 0), text('A', 0), special('[SEP]', 0)],
  pair: [special('[CLS]', 0), text('A', 0), special('[SEP]', 0), text('B', 1), special('[SEP]', 1)],
  special_tokens: { '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] }, '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] } },
}
const byteLevel = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true }
const processors = {
  template,
  bert: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
  roberta: { type: 'RobertaProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2], trim_offsets: true, add_prefix_space: false },
  byteLevel,
  sequence: { type: 'Sequence', processors: [byteLevel, template, byteLevel] },
  none: null,
}

function tokenizerOf(tokenizerJson: object) {
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizerJson))
  return loadTokenizer(folder)
}

// Made by Hugging Face tokenizers 0.22.2 from the same tokenizer.json, strategy longest_first.
const golden: [keyof typeof processors, string, string | null, number, string, string][] = [
  ['template', 'Good film!', null, 7, '2 12 13 14 3', '00000'],
  ['template', 'Good film!', 'A bc', 7, '2 12 13 3 4 5 3', '0000111'],
  ['template', 'Good film!', 'A bc', 20, '2 12 13 14 3 4 5 11 3', '000001111'],
  ['template', 'a b c d e f', 'a b c d e f', 6, '2 4 3 4 5 3', '000111'],
  ['template', 'a b c d e f', 'a b c d e f', 7, '2 4 5 3 4 5 3', '0000111'],
  ['template', 'a b c d e f', 'a b', 6, '2 4 5 3 4 3', '000011'],
  ['template', 'a b c d e f', 'a b', 7, '2 4 5 3 4 5 3', '0000111'],
  ['template', 'a', 'abc abc abc', 6, '2 4 3 4 10 3', '000111'],
  ['template', '', 'good', 7, '2 3 12 3', '0011'],
  ['template', 'good', '', 7, '2 12 3 3', '0001'],
  ['template', 'zz [SEP] a', null, 7, '2 1 3 4 3', '00000'],
  ['bert', 'Good film!', null, 20, '2 12 13 14 3', '00000'],
  ['bert', 'Good film!', 'A bc', 7, '2 12 13 3 4 5 3', '0000111'],
  ['roberta', 'Good film!', null, 20, '2 12 13 14 3', '00000'],
  ['roberta', 'Good film!', 'A bc', 7, '2 12 3 3 4 5 3', '0000000'],
  ['roberta', 'a b c d e f', 'a b c d e f', 7, '2 4 3 3 4 5 3', '0000000'],
  ['byteLevel', 'Good film!', null, 20, '12 13 14', '000'],
  ['byteLevel', 'a b c d e f', 'a b c d e f', 7, '4 5 6 4 5 6 7', '0001111'],
  ['sequence', 'Good film!', 'A bc', 7, '2 12 13 3 4 5 3', '0000111'],
  ['none', 'Good film!', 'A bc', 7, '12 13 14 4 5 11', '000111'],
]

for (const name of Object.keys(processors) as (keyof typeof processors)[]) {
  test(`rows equal Hugging Face's: ${name}`, () => {
    const { encode } = tokenizerOf({ ...base, post_processor: processors[name] })
    for (const [processor, first, second, length, ids, types] of golden) {
      if (processor !== name) continue
      const row = encode(first, second, length)
      assert.equal(row.ids.join(' '), ids, `${first} | ${second} | ${length}`)
      assert.equal(row.types.join(''), types)
    }
  })
}

test('the longer text gives way first and the room is filled', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), fc.nat(60), (first, second, room) => {
      const kept = longestFirst(first, second, room)
      assert.equal(kept[0] + kept[1], Math.min(first + second, room))
      // Taken one by one from the longer text: what is cut ends up as long as the other, or one more.
      let [a, b] = [first, second]
      while (a + b > room) a > b ? a-- : b--
      assert.deepEqual(
        [...kept].sort((x, y) => x - y),
        [a, b].sort((x, y) => x - y),
      )
      assert.ok(kept[0] <= first && kept[1] <= second)
    }),
  )
})

test('a length without room for text is refused', () => {
  const { encode } = tokenizerOf({ ...base, post_processor: template })
  assert.equal(encode('a b', null, 3).ids.length, 3)
  assert.throws(() => encode('a b', null, 2), /^UserError: a length of 2 tokens leaves no room for text beside 2 special tokens/)
  assert.throws(() => encode('a b', 'c', 3), UserError)
})

test('a folder without a usable tokenizer.json says what else rows may carry', () => {
  assert.throws(() => loadTokenizer('models/absent'), /^UserError: models\/absent: no tokenizer\.json.*input_ids/)
  assert.throws(
    () => tokenizerOf({ ...base, post_processor: { type: 'Odd' } }),
    /^UserError: .*tokenizer\.json: not a tokenizer.*input_ids/s,
  )
  assert.throws(() => tokenizerOf({ ...base, model: { type: 'Odd' } }), /^UserError: .*tokenizer\.json: not a tokenizer.*input_ids/)
  writeFileSync(join(folder, 'tokenizer.json'), '{')
  assert.throws(() => loadTokenizer(folder), /^UserError: .*tokenizer\.json is not JSON .*; copy or download it again\./)
})

test('where all tokens are kept, a tokenizer is not made, and one that cannot be run is told at the first text without', () => {
  const broken = { ...base, post_processor: template, model: { type: 'Odd' } }
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(broken))
  assert.throws(() => loadTokenizer(folder), /not a tokenizer this version can run/)
  const odd = { ...base, post_processor: template, pre_tokenizer: { type: 'Sequence', pretokenizers: {} } }
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(odd))
  assert.throws(() => loadTokenizer(folder), /^UserError: .*not a tokenizer this version can run/)
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(broken))
  const kept = loadTokenizer(folder, () => ({ tokensOf: (text, make) => (text === 'kept' ? [4, 5] : make()) }))
  assert.deepEqual(kept.encode('kept', 'kept', 9).ids, [2, 4, 5, 3, 4, 5, 3])
  assert.deepEqual([...kept.special.all], [0, 1, 2, 3])
  for (const made of [() => kept.tokens('new'), () => kept.locate('kept'), () => kept.decode([4]), () => kept.word(4)])
    assert.throws(made, UserError)
})
