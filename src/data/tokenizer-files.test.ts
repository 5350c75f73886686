import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { UserError } from '../errors.ts'
import { loadTokenizer } from './tokenizer.ts'

const root = mkdtempSync(join(tmpdir(), 'adatune-vocabulary-'))
after(() => rmSync(root, { recursive: true }))
const golden = join(import.meta.dirname, '../../test/golden')
const readJson = (file: string): never => JSON.parse(readFileSync(file, 'utf8')) as never

interface Row {
  readonly text: string
  readonly pair: string | null
  readonly ids: readonly number[]
  readonly types?: readonly number[]
}

for (const kind of ['sentencepiece', 'vocabularies']) {
  for (const folder of readdirSync(join(golden, kind), { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    test(`${folder.name}'s ${kind} give the tokens of Hugging Face's fast tokenizer`, () => {
      const from = join(golden, kind, folder.name)
      const { encode } = loadTokenizer(from)
      for (const { text, pair, ids, types } of readJson(join(from, 'expected.json')) as Row[]) {
        const row = encode(text, pair, 1000)
        assert.deepEqual(row.ids, ids, JSON.stringify([text, pair]))
        if (types) assert.deepEqual(row.types, types)
      }
    })
  }
}

/** A folder with the files of another and a config of its own. */
function folderOf(from: string, config: object, fields: object = {}): string {
  const folder = mkdtempSync(join(root, 'model-'))
  for (const name of readdirSync(from)) copyFileSync(join(from, name), join(folder, name))
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(fields))
  return folder
}

const large = readJson(join(golden, 'sentencepiece/large.json')) as Record<string, { model_type: string; ids: number[][] }>
const texts = (readJson(join(golden, 'sentencepiece/t5/expected.json')) as Row[])
  .filter(({ pair }) => pair === null)
  .map(({ text }) => text)
const assets = process.env.ADATUNE_ASSETS

for (const [name, { model_type, ids }] of Object.entries(large)) {
  const from = assets && join(assets, 'models/tokenizers', name)
  test(`the published vocabulary of ${name} gives Hugging Face's tokens`, { skip: !from && 'ADATUNE_ASSETS is not set' }, () => {
    const { encode } = loadTokenizer(folderOf(from as string, { model_type }))
    assert.equal(ids.length, texts.length)
    for (const [i, text] of texts.entries()) assert.deepEqual(encode(text, null, 1000).ids, ids[i], JSON.stringify(text))
  })
}

test('the tokenizer_config.json says how a vocabulary is read', () => {
  const [deberta, bert] = [join(golden, 'sentencepiece/deberta-v2'), join(golden, 'vocabularies/bert')]
  const idsOf = (folder: string, text: string): number[] => loadTokenizer(folder).encode(text, null, 100).ids
  const plain = idsOf(deberta, 'the boats')
  assert.notDeepEqual(idsOf(deberta, 'THE Boats'), plain)
  assert.deepEqual(idsOf(folderOf(deberta, { model_type: 'deberta-v2' }, { do_lower_case: true }), 'THE Boats'), plain)
  assert.ok(!idsOf(bert, 'Harbour').includes(1))
  assert.ok(idsOf(folderOf(bert, { model_type: 'bert' }, { do_lower_case: false }), 'Harbour').includes(1))
  const added = { added_tokens_decoder: { 500: { content: '<<new>>', special: true, normalized: false } } }
  assert.ok(idsOf(folderOf(deberta, { model_type: 'deberta-v2' }, added), 'the <<new>> boats').includes(500))
})

test('files that are no vocabulary are refused with a sentence', () => {
  const from = join(golden, 'sentencepiece/deberta-v2')
  const bytes = readFileSync(join(from, 'spm.model'))
  for (const [content, message] of [
    [Buffer.from('<!doctype html>'), /spm\.model: not a vocabulary this version can read .*input_ids/],
    [Buffer.alloc(0), /it has no pieces/],
    [bytes.subarray(0, 100), /spm\.model: not a vocabulary/],
  ] as const) {
    const folder = folderOf(from, { model_type: 'deberta-v2' })
    writeFileSync(join(folder, 'spm.model'), content)
    assert.throws(
      () => loadTokenizer(folder),
      (error) => error instanceof UserError && message.test(error.message),
    )
  }
  const none = folderOf(from, { model_type: 't5' })
  assert.throws(() => loadTokenizer(none), /no tokenizer\.json and no spiece\.model, so texts cannot be tokenised/)
})
